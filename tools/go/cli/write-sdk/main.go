// Writes the package of a Pulumi schema for a language, as `pulumi package gen-sdk --language LANGUAGE` does where the language host can.
//
//	write-sdk go|python SCHEMA FOLDER
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	golang "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

type generator func(*schema.Package) (map[string][]byte, error)

var generators = map[string]generator{
	"go": func(described *schema.Package) (map[string][]byte, error) {
		return golang.GeneratePackage("pulumi-swarm", described, nil)
	},
	"python": func(described *schema.Package) (map[string][]byte, error) {
		return python.GeneratePackage("pulumi-swarm", described, nil, nil)
	},
}

func main() {
	if len(os.Args) != 4 || generators[os.Args[1]] == nil {
		fail(fmt.Errorf("usage: write-sdk go|python SCHEMA FOLDER"))
	}
	if err := generate(generators[os.Args[1]], os.Args[2], os.Args[3]); err != nil {
		fail(err)
	}
}

func generate(write generator, file, folder string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var spec schema.PackageSpec
	if err := json.Unmarshal(text, &spec); err != nil {
		return err
	}
	importers := map[string]schema.Language{"go": golang.Importer, "python": python.Importer}
	described, err := schema.ImportSpec(spec, importers, schema.ValidationOptions{})
	if err != nil {
		return err
	}
	files, err := write(described)
	if err != nil {
		return err
	}
	for name, content := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
