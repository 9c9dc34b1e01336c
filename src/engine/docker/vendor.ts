// What we read of Docker's JSON, and nothing more. Translated here, at the edge; no other folder sees these.

export type Labels = Readonly<Record<string, string>>;

export type ListedContainer = {
  Id: string;
  Names: string[];
  ImageID: string;
  Created: number;
  State: string;
  Labels: Labels | null;
  Ports: { IP?: string; PublicPort?: number; Type: string }[] | null;
  HostConfig: { NetworkMode: string };
  NetworkSettings: { Networks: Record<string, { NetworkID: string }> | null };
};

export type Endpoint = { IPAddress: string; Aliases: string[] | null; DriverOpts: Record<string, string> | null };

export type VendorMount = {
  Type: 'volume' | 'tmpfs' | 'bind';
  Source?: string;
  Target: string;
  ReadOnly?: boolean;
  VolumeOptions?: { NoCopy?: boolean; Labels?: Labels; DriverConfig?: { Name: string; Options: Labels } };
  TmpfsOptions?: { SizeBytes: number; Mode: number };
};

export type PortBindings = Record<string, { HostIp: string; HostPort: string }[]>;

/** The part of a container's host configuration that we set, and so compare. */
export type HostConfig = {
  NetworkMode?: string;
  ReadonlyRootfs?: boolean;
  CapDrop?: string[] | null;
  CapAdd?: string[] | null;
  SecurityOpt?: string[] | null;
  Privileged?: boolean;
  Memory?: number;
  MemorySwap?: number;
  PidsLimit?: number | null;
  NanoCpus?: number;
  CpuShares?: number;
  CpuQuota?: number;
  CpusetCpus?: string;
  Mounts?: VendorMount[] | null;
  Binds?: string[] | null;
  Tmpfs?: Labels | null;
  Devices?: unknown[] | null;
  PidMode?: string;
  DnsSearch?: string[] | null;
  DnsOptions?: string[] | null;
  PortBindings?: PortBindings | null;
  RestartPolicy?: { Name: string; MaximumRetryCount?: number };
  LogConfig?: { Type: string; Config: Record<string, string> | null };
  Init?: boolean | null;
};

export type Creation = {
  Image: string;
  /** Only where a container of ours may not run as its image says. */
  User?: string;
  Hostname?: string;
  Labels: Labels;
  Cmd?: readonly string[];
  Entrypoint?: readonly string[];
  Env?: readonly string[];
  StopTimeout?: number;
  NetworkDisabled?: boolean;
  ExposedPorts?: Record<string, object>;
  HostConfig: HostConfig;
  NetworkingConfig?: { EndpointsConfig: Record<string, { Aliases: readonly string[]; DriverOpts: Record<string, string> }> };
};

/** What an image says its containers start with, and what a container really did. */
export type StartConfig = {
  User?: string;
  Env?: string[] | null;
  Cmd?: string[] | null;
  Entrypoint?: string[] | null;
  WorkingDir?: string;
  StopSignal?: string;
  Labels?: Labels | null;
  ExposedPorts?: Record<string, object> | null;
  Shell?: string[] | null;
};

export type InspectedContainer = {
  /** Processes started by exec that still run. */
  ExecIDs?: string[] | null;
  Id: string;
  Name: string;
  Created: string;
  Image: string;
  State: {
    Status: string;
    Running: boolean;
    Paused: boolean;
    ExitCode: number;
    StartedAt: string;
    FinishedAt: string;
    OOMKilled?: boolean;
  };
  Config: StartConfig & { Labels: Labels | null };
  HostConfig: HostConfig;
  Mounts: { Type: string; Name?: string; Destination: string }[];
  NetworkSettings: { Networks: Record<string, Endpoint> | null };
};

/** Members are missing where the container does not run. */
export type VendorStats = {
  cpu_stats?: { cpu_usage?: { total_usage?: number } };
  memory_stats?: { usage?: number; stats?: Readonly<Record<string, number>> };
};

export type VendorNetwork = {
  Id: string;
  Name: string;
  Internal: boolean;
  Labels: Labels | null;
  IPAM: { Config: { Subnet?: string }[] | null };
};

export type VendorVolume = { Name: string; Labels: Labels | null };

export type VendorEvent = {
  Action: string;
  Actor: { ID: string; Attributes: Record<string, string> };
  time: number;
  timeNano?: number;
};

export type VendorImageSummary = { Id: string; RepoTags: string[] | null; Labels: Labels | null; Size: number; Created: number };

export type VendorImage = {
  Id: string;
  RepoTags: string[] | null;
  RepoDigests: string[] | null;
  Created: string;
  Size: number;
  Architecture: string;
  Variant?: string;
  Os: string;
  Config: StartConfig | null;
  RootFS: { Layers?: string[] };
};

/** A time Docker has not reached yet. */
export const NEVER = '0001-01-01T00:00:00Z';
