// Command atlas-plan tells how long the Atlas library takes to plan from one loaded database to another.
//
//	atlas-plan FROM TO REPEATS
//
// FROM and TO are libpq URLs; it prints {"seconds": [...], "changes": n} for schema public.
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

func run() error {
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
