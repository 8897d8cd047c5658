// Package v2 stands for the SDK's registration of what a YAML file declares.
package v2

import (
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// RegisterResource is not reached: nothing here deploys YAML files.
func RegisterResource(
	*pulumi.Context, string, string, string, pulumi.Input, ...pulumi.ResourceOption,
) (pulumi.CustomResource, error) {
	return nil, errors.New("this build of the provider has no YAML files and no charts")
}
