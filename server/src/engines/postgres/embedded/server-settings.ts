import { createHash } from "node:crypto";

export const socket_port = 5432;

/**
 * Settings for a laptop. Durability is untouched: fsync, full_page_writes and synchronous_commit keep their defaults, and are
 * named here so that nobody's postgresql.conf turns them off.
 */
const settings: Readonly<Record<string, string>> = {
  fsync: "on",
  full_page_writes: "on",
  synchronous_commit: "on",
  listen_addresses: "",
  port: String(socket_port),
  unix_socket_permissions: "0700",
  max_connections: "60",
  shared_buffers: "128MB",
  effective_cache_size: "512MB",
  maintenance_work_mem: "64MB",
  work_mem: "8MB",
  max_wal_size: "1GB",
  min_wal_size: "64MB",
  checkpoint_timeout: "15min",
  random_page_cost: "1.1",
  // Small transactions only: workers for parallel queries, asynchronous reads and replication would just use memory,
  // and parallel queries need more /dev/shm than containers have.
  io_method: "sync",
  max_parallel_workers_per_gather: "0",
  max_logical_replication_workers: "0",
  autovacuum_max_workers: "2",
  // A new table that fills is planned for as if it were empty until it is looked at.
  autovacuum_naptime: "20s",
  jit: "off",
  // A client that was killed in the middle of a query shall not hold its locks until the query ends.
  client_connection_check_interval: "2s",
  timezone: "UTC",
  log_timezone: "UTC",
  log_min_messages: "warning",
  log_line_prefix: "%m [%p] ",
};

/** Names version and settings, so that a server left by an older Weir is told from one that can be adopted. */
export function clusterName(version: string): string {
  return `weir ${version} ${createHash("sha256").update(JSON.stringify(settings)).digest("hex").slice(0, 8)}`;
}

export function serverArguments(version: string, socketFolder: string): string[] {
  const all = { ...settings, unix_socket_directories: socketFolder, cluster_name: clusterName(version) };
  return Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}
