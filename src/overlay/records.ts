// What the master remembers, record by record, and its form in the store.

import { present } from '../cni/fields.ts';
import { formatSubnet, type Subnet } from '../ipam/subnet.ts';
import {
	decodeNetwork,
	decodeVtep,
	encodeNetwork,
	encodeVtep,
	type Network,
	type VtepSettings,
	type WrittenNetwork,
	type WrittenVtep,
} from './configuration.ts';
import { subnetOf } from './subnet-text.ts';

/** A network, and how it came and goes. */
export interface NetworkRecord {
	readonly network: Network;
	/** Who wanted it: the configuration file, which takes it away again by not naming it, or somebody by a request. */
	readonly origin: 'file' | 'request';
	/** Draining: no agent gets a subnet of it any more, and it goes when no agent has a container on it. */
	readonly phase: 'active' | 'draining';
	/** Its place among the others. */
	readonly position: number;
}

/** An agent's parts of a network. */
export interface Allocation {
	readonly subnet?: Subnet;
	readonly subnet6?: Subnet;
}

/** A registered agent. */
export interface AgentRecord {
	/** The address of its host, by which it is known. */
	readonly ip: string;
	/** What tells it from another that uses the same address. */
	readonly instance: string;
	/** Single addresses. */
	readonly vtep: Subnet;
	readonly vtep6?: Subnet;
	/** By the names of the networks. */
	readonly networks: ReadonlyMap<string, Allocation>;
}

/** A subnet or VTEP address that an agent no longer has, and nobody else may have yet. */
export interface FreedRecord {
	readonly block: Subnet;
	/** The agent's address. */
	readonly owner: string;
	/** Since when: milliseconds since the epoch. */
	readonly time: number;
}

/** A network of the file that somebody has removed by a request: it stays away until the file says something else of it. */
export interface RemovedRecord {
	readonly network: Network;
	/** When: milliseconds since the epoch. */
	readonly time: number;
}

/** A change of one record; without a value, it goes. Networks have their names for keys, agents their addresses, what was freed its text. */
export type Write =
	| { readonly kind: 'vtep'; readonly key: ''; readonly value: VtepSettings | undefined }
	| { readonly kind: 'network'; readonly key: string; readonly value: NetworkRecord | undefined }
	| { readonly kind: 'removed'; readonly key: string; readonly value: RemovedRecord | undefined }
	| { readonly kind: 'agent'; readonly key: string; readonly value: AgentRecord | undefined }
	| { readonly kind: 'freed'; readonly key: string; readonly value: FreedRecord | undefined };

/** A write as the store has it: `agent/10.0.0.1` and JSON. */
export interface StoredWrite {
	readonly key: string;
	readonly value: string | undefined;
}

type StoredNetwork = WrittenNetwork & Omit<NetworkRecord, 'network'>;
type StoredRemoved = WrittenNetwork & Omit<RemovedRecord, 'network'>;
type StoredFreed = Omit<FreedRecord, 'block'>;

interface StoredAllocation {
	readonly subnet?: string;
	readonly subnet6?: string;
}

interface StoredAgent {
	readonly instance: string;
	readonly vtep: string;
	readonly vtep6?: string;
	readonly networks: Readonly<Record<string, StoredAllocation>>;
}

export function encodeWrite(write: Write): StoredWrite {
	const value = write.value === undefined ? undefined : JSON.stringify(encodeValue(write));
	return { key: `${write.kind}/${write.key}`, value };
}

function encodeValue(
	write: Write,
): WrittenVtep | StoredNetwork | StoredRemoved | StoredAgent | StoredFreed | undefined {
	switch (write.kind) {
		case 'vtep':
			return write.value && encodeVtep(write.value);
		case 'network':
		case 'removed':
			return write.value && encodeNamed(write.value);
		case 'agent':
			return write.value && encodeAgent(write.value);
		default:
			return write.value && { owner: write.value.owner, time: write.value.time };
	}
}

/** Reads what {@link encodeWrite} has written. Throws an error that says what is wrong when it is something else. */
export function decodeWrite({ key, value }: StoredWrite): Write {
	const [, kind = '', name = ''] = /^(\w+)\/(.*)$/.exec(key) ?? [];
	// What is stored has the type that its reader takes, or else the reader throws.
	const decode = <Value>(read: (stored: never) => Value): Value | undefined =>
		value === undefined ? undefined : read(JSON.parse(value) as never);
	switch (kind) {
		case 'vtep':
			return { kind, key: '', value: decode(decodeVtep) };
		case 'network':
			return { kind, key: name, value: decode(decodeNetworkRecord) };
		case 'removed':
			return { kind, key: name, value: decode(decodeRemoved) };
		case 'agent':
			return { kind, key: name, value: decode((stored: StoredAgent) => decodeAgent(name, stored)) };
		case 'freed':
			return { kind, key: name, value: decode((stored: StoredFreed) => ({ block: subnetOf(name), ...stored })) };
		default:
			throw new TypeError('there is no such kind of record');
	}
}

function encodeNamed({ network, ...rest }: NetworkRecord | RemovedRecord): StoredNetwork | StoredRemoved {
	return { ...encodeNetwork(network), ...rest };
}

function decodeNetworkRecord({ origin, phase, position, ...network }: StoredNetwork): NetworkRecord {
	return { network: decodeNetwork(network), origin, phase, position };
}

function decodeRemoved({ time, ...network }: StoredRemoved): RemovedRecord {
	return { network: decodeNetwork(network), time };
}

function encodeAgent({ instance, vtep, vtep6, networks }: AgentRecord): StoredAgent {
	const allocations = Array.from(networks, ([name, { subnet, subnet6 }]): [string, StoredAllocation] => [
		name,
		present({ subnet: subnet && formatSubnet(subnet), subnet6: subnet6 && formatSubnet(subnet6) }),
	]);
	return present({
		instance,
		vtep: formatSubnet(vtep),
		vtep6: vtep6 && formatSubnet(vtep6),
		networks: Object.fromEntries(allocations),
	});
}

function decodeAgent(ip: string, { instance, vtep, vtep6, networks }: StoredAgent): AgentRecord {
	const read = (text: string | undefined): Subnet | undefined => (text === undefined ? undefined : subnetOf(text));
	const allocations = Object.entries(networks).map(([name, { subnet, subnet6 }]): [string, Allocation] => [
		name,
		present({ subnet: read(subnet), subnet6: read(subnet6) }),
	]);
	return present({ ip, instance, vtep: subnetOf(vtep), vtep6: read(vtep6), networks: new Map(allocations) });
}
