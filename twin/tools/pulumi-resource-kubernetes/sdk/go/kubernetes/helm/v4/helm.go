// Package v4 stands for the SDK's options of charts.
package v4

import "github.com/pulumi/pulumi/sdk/v3/go/pulumi"

// RepositoryOpts says where a chart is.
type RepositoryOpts struct {
	Repo, Username, Password  *string
	CaFile, CertFile, KeyFile pulumi.AssetOrArchive
}

// PostRenderer changes what a chart renders.
type PostRenderer struct {
	Command string
	Args    []string
}

// RepositoryOptsInput is not made anywhere.
type RepositoryOptsInput interface{ pulumi.Input }

// PostRendererInput is not made anywhere.
type PostRendererInput interface{ pulumi.Input }
