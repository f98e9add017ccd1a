/** What is asked of a gateway's service. */
export interface GatewaySpec {
  readonly image: string;
  /** HAProxy's configuration. */
  readonly config: string;
  /** In the order in which the program names them. */
  readonly networks: readonly { readonly name: string; readonly id: string }[];
  readonly replicas: number;
}

/** What a run returns, and the next run of the same resource is given. */
export interface GatewayResponse {
  /** Docker's id of the service. */
  readonly id: string;
  /** Of the resource that has it: the service carries it too. */
  readonly mark: string;
}

type Labels = Readonly<Record<string, string>>;

/** A service as Docker describes it, as far as gateways have to do with it. */
export interface Service {
  readonly ID: string;
  readonly Version: { readonly Index: number };
  readonly Spec: ServiceSpec;
  readonly PreviousSpec?: ServiceSpec | null;
  readonly UpdateStatus?: { readonly State?: string; readonly Message?: string } | null;
}

export interface ServiceSpec {
  readonly Name: string;
  readonly Labels: Labels | null;
  readonly Mode: { readonly Replicated?: { readonly Replicas?: number } };
  readonly TaskTemplate: TaskSpec & {
    readonly Placement?: { readonly Constraints?: readonly string[] | null; readonly MaxReplicas?: number };
  };
  readonly EndpointSpec?: { readonly Mode?: string };
}

export interface TaskSpec {
  readonly ContainerSpec?: { readonly Image?: string; readonly Configs?: readonly { readonly ConfigID: string }[] | null };
  readonly Networks?: readonly { readonly Target: string }[] | null;
}

export interface Task {
  readonly ID: string;
  readonly NodeID?: string;
  readonly UpdatedAt: string;
  readonly DesiredState: string;
  readonly Status: { readonly State: string; readonly Err?: string };
  readonly Spec: TaskSpec;
}

export interface Config {
  readonly ID: string;
  readonly Spec: { readonly Name: string; readonly Labels: Labels | null };
}
