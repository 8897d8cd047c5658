// Announces slices of one GPU to a kubelet over its socket, as NVIDIA's device plugin does.
//
// For a machine without a GPU: an allocated slice is nothing. What it refuses, it refuses in the
// plugin's words (NVIDIA/k8s-device-plugin, internal/plugin/server.go).
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	api "k8s.io/kubelet/pkg/apis/deviceplugin/v1beta1"
)

const (
	resource = "nvidia.com/gpu"
	socket   = "nvidia-gpu.sock"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "Usage: device-plugin SLICES")
		os.Exit(2)
	}
	slices, err := strconv.Atoi(os.Args[1])
	if err == nil {
		err = announce(slices)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// announce serves until it fails, or the kubelet's socket is not there.
func announce(slices int) error {
	path := filepath.Join(api.DevicePluginPath, socket)
	if err := os.RemoveAll(path); err != nil {
		return err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	api.RegisterDevicePluginServer(server, plugin{slices: slices})
	ended := make(chan error)
	go func() { ended <- server.Serve(listener) }()

	kubelet, err := grpc.NewClient(
		"unix://"+api.KubeletSocket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	request := &api.RegisterRequest{Version: api.Version, Endpoint: socket, ResourceName: resource}
	if _, err := api.NewRegistrationClient(kubelet).Register(context.Background(), request); err != nil {
		return err
	}
	fmt.Printf("announced %s: %d\n", resource, slices)
	return <-ended
}

type plugin struct {
	api.UnimplementedDevicePluginServer
	slices int
}

func (plugin) GetDevicePluginOptions(context.Context, *api.Empty) (*api.DevicePluginOptions, error) {
	return &api.DevicePluginOptions{}, nil
}

func (p plugin) ListAndWatch(_ *api.Empty, told grpc.ServerStreamingServer[api.ListAndWatchResponse]) error {
	devices := make([]*api.Device, p.slices)
	for i := range devices {
		devices[i] = &api.Device{ID: fmt.Sprintf("GPU-0::%d", i), Health: api.Healthy}
	}
	if err := told.Send(&api.ListAndWatchResponse{Devices: devices}); err != nil {
		return err
	}
	<-told.Context().Done()
	return nil
}

func (plugin) Allocate(_ context.Context, asked *api.AllocateRequest) (*api.AllocateResponse, error) {
	answer := &api.AllocateResponse{}
	for _, one := range asked.ContainerRequests {
		if count := len(one.DevicesIds); count > 1 {
			return nil, fmt.Errorf(
				"request for '%v: %v' too large: maximum request size for shared resources is 1",
				resource, count)
		}
		answer.ContainerResponses = append(answer.ContainerResponses, &api.ContainerAllocateResponse{})
	}
	return answer, nil
}
