// Package kubernetes stands for Pulumi's Go SDK of Kubernetes. The provider uses four names of its
// 26 MB, all for charts and YAML files, which this project does not deploy.
package kubernetes

import (
	"context"
	"reflect"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// UntypedArgs are the inputs of an object as the API server takes it.
type UntypedArgs map[string]any

// ElementType is what the SDK's registration asks for.
func (UntypedArgs) ElementType() reflect.Type { return reflect.TypeFor[map[string]any]() }

// ToMapOutputWithContext makes it an input.
func (a UntypedArgs) ToMapOutputWithContext(ctx context.Context) pulumi.MapOutput {
	return pulumi.ToMap(a).ToMapOutputWithContext(ctx)
}
