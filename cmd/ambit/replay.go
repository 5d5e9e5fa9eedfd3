package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/ambitmq/ambit/client"
)

const replayHelp = `Publish the rows of recorded traces as a fleet would: each row is the new
document of one vehicle. Files are CSV with a header, or one JSON object a line,
perhaps compressed with gzip; - is the standard input.

--topic names the topic of a row by its columns: 'fleet/taxis/{taxi}'. The other
columns become the document: numbers and true and false as such, the rest as
text; an empty cell is left out. Columns lat and lon become
"position":{"lat":…,"lon":…}. --columns chooses, renames and types:
  --columns 'occupied=hired:bool,speed'    only these two (and the position)
  --columns '*,occupied:bool'              all, one of them typed

--speed 60x plays an hour in a minute, by the column of --time (Unix seconds or
milliseconds, or RFC 3339); max publishes as fast as the broker acknowledges. The
rows of one vehicle stay in order: they always use the same connection.

Rows that cannot be read are reported with their line, counted and skipped. With
--retry, a lost connection is made again, and what was not acknowledged is sent
again, in order: rows arrive at least once.

SIGINT stops reading, and waits at most 5 s for the acknowledgements of what was
sent; a second one ends the process at once.

Exit codes: 0 all rows were acknowledged, 1 some were refused or not
acknowledged, 2 wrong usage, 3 no connection.`

// replayOptions are the flags of ambit replay.
type replayOptions struct {
	client      client.Options
	mapping     mapping
	position    string
	columns     []string
	speed       string
	connections string
	qos         uint8
	limit       int
	until       string
	acked       string
	retry       bool
	json        bool

	factor    float64   // of speed; +Inf for max
	pool      int       // of connections; 0 for one per vehicle
	untilTime time.Time // of until; zero for the end
}

func newReplay() *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay --topic TEMPLATE FILE...",
		Short: "Publish recorded traces as a fleet would",
		Long:  replayHelp,
		Example: `  ambit replay taxis.csv.gz --topic 'fleet/taxis/{taxi}' --speed 60x
  ambit replay trucks.ndjson --topic 'fleet/trucks/{id}' --connections per-vehicle --json`,
		Args: arguments(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.parse(); err != nil {
				return &exitError{exitUsage, err}
			}
			return o.run(cmd, args)
		},
	}
	brokerFlags(cmd, &o.client)
	flags := cmd.Flags()
	flags.StringVar(&o.mapping.topic, "topic", "", "topic `template` such as fleet/taxis/{taxi}")
	flags.StringVar(&o.mapping.timeColumn, "time", "", "`column` of the time (default: time, timestamp, ts, tst, datetime or date)")
	flags.StringVar(&o.position, "position", "", "`columns` of latitude and longitude, or none (default: lat,lon and the like)")
	flags.StringVar(&o.mapping.positionName, "position-field", "position", "`name` of the field with the position")
	flags.StringSliceVar(&o.columns, "columns", nil, "`columns` of the document: name, name=as, name:bool|number|string, * for the rest")
	flags.StringVar(&o.speed, "speed", "max", "1x, 60x, … or max")
	flags.StringVar(&o.connections, "connections", "16", "number of connections, or per-vehicle")
	flags.IntVar(&o.client.InFlight, "in-flight", 64, "rows of a connection that may wait for their acknowledgement")
	flags.Uint8VarP(&o.qos, "qos", "q", 1, "quality of service: 1, 2, or 0, where a row counts as acknowledged when it is written")
	flags.IntVar(&o.limit, "limit", 0, "stop after so many rows")
	flags.StringVar(&o.until, "until", "", "stop at the first row later than this `time`")
	flags.StringVar(&o.acked, "acked", "", "append a line with id and time to this `file` for each acknowledged row")
	flags.BoolVar(&o.retry, "retry", false, "connect again when a connection is lost")
	flags.BoolVar(&o.json, "json", false, "print the summary as JSON")
	return cmd
}

// parse checks the flags and reads those that are more than a word.
func (o *replayOptions) parse() error {
	if o.mapping.topic == "" {
		return errors.New(`--topic is missing: a template such as --topic 'fleet/taxis/{taxi}'`)
	}
	if strings.Count(o.mapping.topic, "{") != strings.Count(o.mapping.topic, "}") {
		return fmt.Errorf("--topic %q: a column stands in braces: {taxi}", o.mapping.topic)
	}
	if o.qos > 2 {
		return fmt.Errorf("--qos %d: must be 0, 1 or 2", o.qos)
	}
	var ok bool
	switch o.position {
	case "":
	case "none":
		o.mapping.positionName = ""
	default:
		if o.mapping.lat, o.mapping.lon, ok = strings.Cut(o.position, ","); !ok {
			return fmt.Errorf("--position %q: must be two columns such as lat,lon, or none", o.position)
		}
	}
	var err error
	if o.mapping.columns, err = parseColumns(o.columns); err != nil {
		return err
	}
	if o.factor, err = parseSpeed(o.speed); err != nil {
		return err
	}
	if o.connections != "per-vehicle" {
		if o.pool, err = strconv.Atoi(o.connections); err != nil || o.pool < 1 {
			return fmt.Errorf("--connections %q: must be a number from 1 up, or per-vehicle", o.connections)
		}
	}
	if o.until != "" {
		if o.untilTime, err = parseTime(o.until); err != nil {
			return fmt.Errorf("--until: %w", err)
		}
	}
	o.mapping.timed = !math.IsInf(o.factor, 1) || o.until != ""
	return nil
}

func parseSpeed(text string) (float64, error) {
	if text == "max" {
		return math.Inf(1), nil
	}
	factor, err := strconv.ParseFloat(strings.TrimSuffix(text, "x"), 64)
	if err != nil || !(factor > 0) || math.IsInf(factor, 0) {
		return 0, fmt.Errorf("--speed %q: must be max, or a factor such as 60x", text)
	}
	return factor, nil
}

func (o *replayOptions) run(cmd *cobra.Command, files []string) error {
	t := &tally{stderr: cmd.ErrOrStderr()}
	if o.acked != "" {
		file, err := os.OpenFile(o.acked, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }() // its lines were flushed, and that was checked
		t.acked = bufio.NewWriter(file)
	}
	reading, stop := untilSignal(cmd.Context())
	defer stop()
	start := time.Now()
	f := &fleet{o: o, tally: t, bar: progress(cmd.ErrOrStderr(), files), lanes: map[string]*lane{}}
	err := f.replay(cmd.Context(), reading, cmd.InOrStdin(), files)
	sum := t.summary(time.Since(start))
	err = errors.Join(err, t.flush())
	if exit := (*exitError)(nil); errors.As(err, &exit) && sum.Acknowledged+sum.Refused == 0 {
		return err
	}
	if err := errors.Join(err, sum.print(cmd.OutOrStdout(), o.json)); err != nil {
		return err
	}
	if sum.Refused+sum.Failed > 0 {
		return &exitError{code: exitFailed}
	}
	return nil
}

// progress returns a bar for the bytes of the files, or nil if nobody sees it.
func progress(stderr io.Writer, files []string) *progressbar.ProgressBar {
	if !isTerminal(stderr) {
		return nil
	}
	total := int64(0)
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil { // the standard input, or an error that opening it will tell
			total = -1
			break
		}
		total += info.Size()
	}
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(stderr),
		progressbar.OptionSetDescription("replay"),
		progressbar.OptionShowBytes(total < 0),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish())
}
