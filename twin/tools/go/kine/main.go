// Kine with its SQLite driver only.
//
// The released program links every driver (PostgreSQL, MySQL, NATS, S3), a third of its source.
// Server, driver and gRPC settings are kine's own; flags are those that the twin gives.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"math"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/k3s-io/kine/pkg/drivers"
	"github.com/k3s-io/kine/pkg/drivers/generic"
	"github.com/k3s-io/kine/pkg/drivers/sqlite"
	"github.com/k3s-io/kine/pkg/server"
	"github.com/k3s-io/kine/pkg/version"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

const (
	unixScheme        = "unix://"
	sqliteScheme      = "sqlite://"
	etcdVersion       = "3.6.11" // what kine says it is: API servers ask before they use watch progress
	maxRequestBytes   = 2 << 20
	gracefulStopAfter = 2 * time.Second
)

func main() {
	listen := flag.String("listen-address", "", "unix:// and the path of the socket")
	endpoint := flag.String("endpoint", "", "sqlite:// and the path of the database")
	_ = flag.String("metrics-bind-address", "0", "no metrics are served; kine itself knows this flag")
	showVersion := flag.Bool("version", false, "print the version")
	flag.Parse()
	if *showVersion {
		fmt.Println("kine version", version.Version)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, *listen, *endpoint); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

func serve(ctx context.Context, listen, endpoint string) error {
	socket, isUnix := strings.CutPrefix(listen, unixScheme)
	database, isSQLite := strings.CutPrefix(endpoint, sqliteScheme)
	if !isUnix || !isSQLite {
		return fmt.Errorf("give --listen-address=%sPATH and --endpoint=%sPATH", unixScheme, sqliteScheme)
	}
	backendContext, stopBackend := context.WithCancel(context.Background())
	var background sync.WaitGroup
	defer background.Wait()
	defer stopBackend()
	_, backend, err := sqlite.New(backendContext, &background, settings(database))
	if err != nil {
		return err
	}
	if err := backend.Start(backendContext); err != nil {
		return err
	}
	grpcServer := grpc.NewServer(
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second}),
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 2 * time.Hour, Timeout: 20 * time.Second}),
		grpc.MaxConcurrentStreams(math.MaxUint32),
		grpc.MaxRecvMsgSize(maxRequestBytes),
		grpc.MaxSendMsgSize(math.MaxInt32),
	)
	server.New(backend, "unix", 5*time.Second, etcdVersion).Register(grpcServer)
	if err := os.Remove(socket); err != nil && !os.IsNotExist(err) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(gracefulStopAfter, grpcServer.Stop)
		defer timer.Stop()
		grpcServer.GracefulStop()
	})
	return grpcServer.Serve(listener)
}

// The values are the defaults of kine's own flags.
func settings(database string) *drivers.Config {
	return &drivers.Config{
		Endpoint:             sqliteScheme + database,
		Scheme:               "sqlite",
		DataSourceName:       database,
		ConnectionPoolConfig: generic.ConnectionPoolConfig{MaxIdle: 20, MaxLifetime: 0, MaxIdleTime: 2 * time.Minute},
		CompactTimeout:       5 * time.Second,
		CompactMinRetain:     1000,
		CompactBatchSize:     1000,
		PollBatchSize:        500,
		PollInterval:         time.Second,
	}
}
