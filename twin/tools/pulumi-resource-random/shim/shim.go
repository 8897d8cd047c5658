// Package shim has a path below the Terraform provider's own, which alone may import what is
// internal there.
package shim

import (
	"github.com/hashicorp/terraform-plugin-framework/provider"

	random "github.com/terraform-providers/terraform-provider-random/internal/provider"
)

// New is the Terraform provider.
func New() provider.Provider { return random.New() }
