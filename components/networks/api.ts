/** What this needs of a manager's engine; `DockerApi` is one. */
export interface NetworkApi {
  get<Result>(path: string): Promise<Result>;
  post<Result>(path: string, body?: unknown): Promise<Result>;
  delete(path: string): Promise<void>;
}

export interface NetworkIo {
  progress(line: string): void;
  sleep(milliseconds: number): Promise<void>;
  now(): number;
}

/** What is asked of a network. */
export interface NetworkSpec {
  readonly driver: string;
  readonly subnet: string;
  readonly gateway: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
}

/** What a run returns, and the next run of the same resource is given. */
export interface NetworkResponse {
  readonly id: string;
  /** Where the network was made by another resource: the mark of having taken it over. */
  readonly owner?: string;
}
