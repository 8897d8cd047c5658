// Pulumi's random provider: the Terraform provider of the released one behind the bridge of the
// released one. Only what the release adds by generating code is missing: schema and documentation,
// which the engine asks for at no point of a deployment.
package main

import (
	"context"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	"github.com/terraform-providers/terraform-provider-random/shim"
)

// The release's; the engine compares it with the SDK's.
const version = "4.21.4"

func main() {
	info := tfbridge.ProviderInfo{
		P:                           pf.ShimProvider(shim.New()),
		Name:                        "random",
		Version:                     version,
		MetadataInfo:                tfbridge.NewProviderMetadata([]byte("{}")),
		EnableAccurateBridgePreview: true,
		EnableRawStateDelta:         true,
	}
	// `random_password` is RandomPassword in the index module.
	named := func(module, name string) (string, error) {
		return tokens.MakeStandard("random")(module, "Random"+name)
	}
	info.MustComputeTokens(tokens.SingleModule("random_", "index", named))
	schema := []byte(`{"name":"random","version":"` + version + `"}`)
	pf.Main(context.Background(), "random", info, pf.ProviderMetadata{PackageSchema: schema})
}
