// Command atlas-plan tells how long the Atlas library takes to plan from one loaded database to another.
//
//	atlas-plan FROM TO REPEATS
//	atlas-plan -sql FROM TO SCHEMA...
//
// FROM and TO are libpq URLs; it prints {"seconds": [...], "changes": n} for schema public, or the statements from one
// database to the other as a JSON list.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"ariga.io/atlas/sql/migrate"
	"ariga.io/atlas/sql/postgres"
	"ariga.io/atlas/sql/schema"
	_ "github.com/lib/pq"
)

func plan(ctx context.Context, from, to string) (int, error) {
	var realms [2]*schema.Schema
	var drivers [2]migrate.Driver
	for i, url := range []string{from, to} {
		db, err := sql.Open("postgres", url)
		if err != nil {
			return 0, err
		}
		defer db.Close()
		if drivers[i], err = postgres.Open(db); err != nil {
			return 0, err
		}
		if realms[i], err = drivers[i].InspectSchema(ctx, "public", nil); err != nil {
			return 0, err
		}
	}
	changes, err := drivers[0].SchemaDiff(realms[0], realms[1])
	if err != nil || len(changes) == 0 {
		return 0, err
	}
	planned, err := drivers[0].PlanChanges(ctx, "plan", changes)
	if err != nil {
		return 0, err
	}
	return len(planned.Changes), nil
}

func statements(ctx context.Context, from, to string, schemas []string) ([]string, error) {
	var realms [2]*schema.Realm
	var drivers [2]migrate.Driver
	for i, url := range []string{from, to} {
		db, err := sql.Open("postgres", url)
		if err != nil {
			return nil, err
		}
		defer db.Close()
		if drivers[i], err = postgres.Open(db); err != nil {
			return nil, err
		}
		if realms[i], err = drivers[i].InspectRealm(ctx, &schema.InspectRealmOption{Schemas: schemas}); err != nil {
			return nil, err
		}
	}
	changes, err := drivers[0].RealmDiff(realms[0], realms[1])
	if err != nil || len(changes) == 0 {
		return []string{}, err
	}
	planned, err := drivers[0].PlanChanges(ctx, "plan", changes)
	if err != nil {
		return nil, err
	}
	found := make([]string, 0, len(planned.Changes))
	for _, change := range planned.Changes {
		found = append(found, change.Cmd)
	}
	return found, nil
}

func run() error {
	if len(os.Args) > 4 && os.Args[1] == "-sql" {
		found, err := statements(context.Background(), os.Args[2], os.Args[3], os.Args[4:])
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(found)
	}
	if len(os.Args) != 4 {
		return fmt.Errorf("usage: atlas-plan FROM TO REPEATS")
	}
	repeats, err := strconv.Atoi(os.Args[3])
	if err != nil {
		return err
	}
	seconds := make([]float64, repeats)
	changes := 0
	for i := range seconds {
		since := time.Now()
		if changes, err = plan(context.Background(), os.Args[1], os.Args[2]); err != nil {
			return err
		}
		seconds[i] = time.Since(since).Seconds()
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"seconds": seconds, "changes": changes})
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "atlas-plan:", err)
		os.Exit(1)
	}
}
