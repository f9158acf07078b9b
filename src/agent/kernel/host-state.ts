// What an agent wants its host to have, what it sees there, and what can be done about the difference.

import type { ProtocolRoute } from '../../netlink/protocol-route.ts';

/** The routing protocol by whose number our routes are told from those of others; nobody else is known to have it. */
export const ROUTE_PROTOCOL = 124;

/** As a route's gateway: nobody has these addresses. */
export const UNREACHABLE = '';

/** The tunnel end point of this host. */
export interface Vtep {
	readonly name: string;
	readonly vni: number;
	/** The UDP port. */
	readonly port: number;
	readonly mac: string;
	/** In bytes. */
	readonly mtu: number;
	/** The address of this host on the underlay. */
	readonly local: string;
	/** With their prefix lengths. */
	readonly addresses: readonly string[];
	/** Whether the network card may compute the checksums inside the tunnel. */
	readonly checksumOffload: boolean;
}

/** A bridge for containers. */
export interface Bridge {
	readonly network: string;
	readonly mtu: number;
	readonly mac: string;
}

/** What leads to the other agents; addresses are texts as formatIp writes them. */
interface Entries {
	/** The MAC address of each VTEP, by its IP address. */
	readonly neighbours: ReadonlyMap<string, string>;
	/** The host of each VTEP on the underlay, by its MAC address. */
	readonly forwarding: ReadonlyMap<string, string>;
	/** The VTEP of each agent subnet, or {@link UNREACHABLE}, by the subnet. */
	readonly routes: ReadonlyMap<string, string>;
}

/** What a host should have. */
export interface Wanted extends Entries {
	/** Undefined: none, with nothing that goes through it. */
	readonly vtep: Vtep | undefined;
	readonly bridges: ReadonlyMap<string, Bridge>;
	/** Kernel parameters, by their path below /proc/sys/net. */
	readonly parameters: ReadonlyMap<string, string>;
}

/** A tunnel end point as it is. */
export interface SeenVtep extends Omit<Vtep, 'addresses' | 'checksumOffload'> {
	readonly up: boolean;
	readonly learning: boolean;
	/** Undefined where the kernel cannot say. */
	readonly checksumOffload: boolean | undefined;
}

/** A bridge as it is. */
export interface SeenBridge {
	readonly mtu: number;
	readonly up: boolean;
	readonly alias: string;
	readonly hasPorts: boolean;
}

/** What a host has of all that, and nothing of what is others'. */
export interface Seen extends Entries {
	readonly vtep: SeenVtep | undefined;
	/** Of the VTEP, with their prefix lengths; without those that IPv6 makes for itself. */
	readonly addresses: ReadonlySet<string>;
	/** Routes that no wish can lead to: second ones to one destination, or through another device. */
	readonly strayRoutes: readonly ProtocolRoute[];
	/** Those that are wanted, and those that we once made. */
	readonly bridges: ReadonlyMap<string, SeenBridge>;
	/** Absent: the kernel has no such parameter, or not yet. */
	readonly parameters: ReadonlyMap<string, string>;
}

/** Something to be done. */
export type Action =
	| { readonly do: 'createVtep'; readonly vtep: Vtep }
	| { readonly do: 'changeVtep'; readonly name: string; readonly changes: VtepChanges }
	| { readonly do: 'removeVtep'; readonly name: string }
	| { readonly do: 'setChecksumOffload'; readonly name: string; readonly wanted: boolean }
	| { readonly do: 'setParameter'; readonly name: string; readonly value: string }
	| { readonly do: 'createBridge'; readonly name: string; readonly bridge: Bridge }
	| { readonly do: 'changeBridge'; readonly name: string; readonly changes: BridgeChanges }
	| { readonly do: 'removeBridge'; readonly name: string }
	| EntryAction;

/** Something to be done that concerns what is behind the VTEP: there may be tens of thousands at once. */
export type EntryAction =
	| { readonly do: 'addAddress' | 'removeAddress'; readonly cidr: string }
	| { readonly do: 'setNeighbour'; readonly ip: string; readonly mac: string }
	| { readonly do: 'removeNeighbour'; readonly ip: string }
	| { readonly do: 'setForwarding' | 'removeForwarding'; readonly mac: string; readonly host: string }
	| { readonly do: 'setRoute' | 'removeRoute'; readonly dst: string; readonly gw: string }
	| { readonly do: 'removeStrayRoute'; readonly route: ProtocolRoute };

const ENTRY_ACTIONS = new Set<Action['do']>([
	'addAddress',
	'removeAddress',
	'setNeighbour',
	'removeNeighbour',
	'setForwarding',
	'removeForwarding',
	'setRoute',
	'removeRoute',
	'removeStrayRoute',
]);

export function isEntryAction(action: Action): action is EntryAction {
	return ENTRY_ACTIONS.has(action.do);
}

/** What can be changed of a tunnel end point while it is in use. */
export interface VtepChanges {
	readonly up?: true;
	readonly mtu?: number;
	/** The kernel forgets all neighbours with it. */
	readonly mac?: string;
	readonly tunnel?: { readonly local: string; readonly learning: false };
}

export interface BridgeChanges {
	readonly up?: true;
	readonly mtu?: number;
	readonly alias?: string;
}

/** What `ip link` shows of a bridge that the agent keeps. */
export function bridgeAlias(network: string): string {
	return `${BRIDGE_ALIAS}${network}`;
}

/** How the alias of every bridge begins that an agent keeps. */
export const BRIDGE_ALIAS = 'mesos-overlay network ';

/** No wish at all: what is left of us goes. */
export const NOTHING: Wanted = {
	vtep: undefined,
	neighbours: new Map(),
	forwarding: new Map(),
	routes: new Map(),
	bridges: new Map(),
	parameters: new Map(),
};
