-- The stream book of usage. Every target of an insert has its own deduplication window: a replayed batch changes
-- nothing anywhere. fsync before the insert is confirmed: the batch file is deleted after it.
-- Partitions are years: an import may carry any age, and one insert makes one part for each partition it touches.

CREATE TABLE IF NOT EXISTS weir.usage_events (
  organization LowCardinality(String),
  source LowCardinality(String),
  id String CODEC(ZSTD(1)),
  type LowCardinality(String),
  subject String CODEC(ZSTD(1)),
  time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  data String CODEC(ZSTD(1)),
  key FixedString(16) CODEC(NONE),
  revision UInt32 CODEC(ZSTD(1)),
  received_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  writer LowCardinality(String),
  sequence UInt64 CODEC(Delta, ZSTD(1)),
  position UInt32 CODEC(Delta, ZSTD(1)),
  batch UInt64 CODEC(Delta, ZSTD(1)),
  INDEX by_sequence sequence TYPE minmax GRANULARITY 1,
  INDEX by_time time TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYear(time)
ORDER BY (organization, subject, time, key)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS weir.usage (
  organization LowCardinality(String),
  meter LowCardinality(String),
  subject String CODEC(ZSTD(1)),
  time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)),
  value Decimal(38, 18) CODEC(ZSTD(1)),
  unique String CODEC(ZSTD(1)),
  dimensions Array(LowCardinality(String)),
  key FixedString(16) CODEC(NONE),
  revision UInt32 CODEC(ZSTD(1)),
  writer LowCardinality(String),
  sequence UInt64 CODEC(Delta, ZSTD(1)),
  event_sequence UInt64 CODEC(Delta, ZSTD(1)),
  event_position UInt32 CODEC(Delta, ZSTD(1)),
  batch UInt64 CODEC(Delta, ZSTD(1)),
  INDEX by_sequence sequence TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY toYear(time)
ORDER BY (organization, meter, subject, time)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE TABLE IF NOT EXISTS weir.usage_corrections (
  organization LowCardinality(String),
  key FixedString(16),
  revision UInt32,
  void Bool,
  reason String,
  actor String,
  source String,
  id String,
  subject String,
  time DateTime64(6, 'UTC'),
  new_subject String,
  new_time DateTime64(6, 'UTC'),
  created_at DateTime64(6, 'UTC'),
  writer LowCardinality(String),
  sequence UInt64,
  batch UInt64
) ENGINE = MergeTree
ORDER BY (organization, key, revision)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

-- Fifteen minutes, since zones of +5:30 and +5:45 exist. `bucket` counts them since 1970.
CREATE TABLE IF NOT EXISTS weir.usage_15m (
  organization LowCardinality(String),
  meter LowCardinality(String),
  subject String CODEC(ZSTD(1)),
  bucket UInt32 CODEC(Delta, ZSTD(1)),
  dimensions Array(LowCardinality(String)),
  sum SimpleAggregateFunction(sum, Decimal(76, 18)) CODEC(ZSTD(1)),
  count SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  min SimpleAggregateFunction(min, Decimal(38, 18)) CODEC(ZSTD(1)),
  max SimpleAggregateFunction(max, Decimal(38, 18)) CODEC(ZSTD(1)),
  latest AggregateFunction(argMax, Decimal(38, 18), Tuple(DateTime64(6, 'UTC'), UInt64, UInt32)),
  -- Fingerprints of what UNIQUE_COUNT counts: docs/decisions/0027-unique-counts-of-fingerprints.md. Empty for other meters.
  uniques AggregateFunction(uniqExact, UInt64)
) ENGINE = AggregatingMergeTree
ORDER BY (organization, meter, subject, bucket, dimensions)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS weir.usage_to_15m TO weir.usage_15m AS
SELECT organization, meter, subject, toUInt32(intDiv(toUnixTimestamp64Micro(time), 900000000)) AS bucket, dimensions,
       sum(toDecimal256(value, 18)) AS sum, count() AS count, min(value) AS min, max(value) AS max,
       argMaxState(value, (time, event_sequence, event_position)) AS latest,
       uniqExactStateIf(sipHash64(unique), unique != '') AS uniques
FROM weir.usage
GROUP BY organization, meter, subject, bucket, dimensions;

-- Of UNIQUE_COUNT meters the same by UTC day, for the days that a question takes whole: merging their sets is the work.
CREATE TABLE IF NOT EXISTS weir.usage_1d (
  organization LowCardinality(String),
  meter LowCardinality(String),
  subject String CODEC(ZSTD(1)),
  day UInt32 CODEC(Delta, ZSTD(1)),
  dimensions Array(LowCardinality(String)),
  count SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1)),
  uniques AggregateFunction(uniqExact, UInt64)
) ENGINE = AggregatingMergeTree
ORDER BY (organization, meter, subject, day, dimensions)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS weir.usage_to_1d TO weir.usage_1d AS
SELECT organization, meter, subject, toUInt32(intDiv(toUnixTimestamp64Micro(time), 86400000000)) AS day, dimensions,
       count() AS count, uniqExactState(sipHash64(unique)) AS uniques
FROM weir.usage
WHERE unique != ''
GROUP BY organization, meter, subject, day, dimensions;

-- Scratch of a discard: which buckets a batch touched, so that they can be built anew.
CREATE TABLE IF NOT EXISTS weir.discarded_buckets (
  organization String,
  meter String,
  subject String,
  bucket UInt32
) ENGINE = MergeTree ORDER BY (organization, meter, subject, bucket);
