/** What is asked of an engine; `DockerApi` is one. By itself, so that types which users see need none of SSH's. */
export interface EngineApi {
  get<Result>(path: string, timeout?: number): Promise<Result>;
  post<Result>(path: string, body?: unknown, timeout?: number): Promise<Result>;
  delete(path: string, timeout?: number): Promise<void>;
}
