// What is remembered of networks and attachments, so that DEL finds what is theirs and a flushed table can be filled again.

import type { Attachment } from '../cni/request.ts';
import { type BackendName, type Isolation, ISOLATIONS } from './configuration.ts';
import type { PolicyRule } from './policy.ts';
import type { PortMapping } from './port-mappings.ts';

/** Raised whenever the tables are laid out anew, so that those of an older version are replaced by the next ADD. */
export const LAYOUT = 2;

/** What all containers of a network on this host share. Subnets are CIDRs without host bits. */
export interface NetworkRecord {
	/** The {@link LAYOUT} of the tables. */
	readonly layout: number;
	readonly backend: BackendName;
	readonly network: string;
	readonly bridge: string;
	/** The containers' subnets on the bridge. */
	readonly subnets: readonly string[];
	/** The whole network on all hosts; empty when it has no other part than the subnets. */
	readonly overlays: readonly string[];
	/** Whether what leaves the overlays goes by the host's address. */
	readonly masquerade: boolean;
	readonly isolation: Isolation;
}

/** What belongs to one attachment alone. */
export interface AttachmentRecord extends Attachment {
	readonly backend: BackendName;
	readonly network: string;
	/** The path of the container's namespace, and what was there. */
	readonly netns: string;
	readonly namespace?: { readonly device: number; readonly inode: number };
	/** Milliseconds since the epoch. */
	readonly time: number;
	/** The container's, without prefix lengths. */
	readonly addresses: readonly string[];
	/** The host's addresses in the container's subnets. */
	readonly gateways: readonly string[];
	readonly portMappings: readonly PortMapping[];
	readonly excludeDevices: readonly string[];
	/** Whether its addresses are masqueraded one by one, since its network is no overlay. */
	readonly masquerade: boolean;
	readonly isolation: Isolation;
	readonly policy?: readonly PolicyRule[];
	readonly labels: readonly string[];
	/** What the container's port may send; everything without it. */
	readonly port?: PortRecord;
}

/** The port of the bridge that is the container's, and what it may send by. */
export interface PortRecord {
	readonly name: string;
	readonly mac: string;
	/** Undefined: by any address. */
	readonly addresses?: readonly string[];
}

/** Everything that the kernel's tables are made of. */
export interface Records {
	readonly networks: readonly NetworkRecord[];
	readonly attachments: readonly AttachmentRecord[];
}

/**
 * The record of a network for which another one may be there already: containers of different ranges have different
 * subnets, and each sees its own only. The one that is there is kept when nothing is new.
 */
export function mergeNetwork(present: NetworkRecord | undefined, wanted: NetworkRecord): NetworkRecord {
	const subnets = [...new Set([...(present?.subnets ?? []), ...wanted.subnets])].toSorted();
	const merged = { ...wanted, subnets };
	return present !== undefined && encodeRecord(present) === encodeRecord(merged) ? present : merged;
}

/** The text of a record: one line of JSON. */
export function encodeRecord(record: NetworkRecord | AttachmentRecord): string {
	return `${JSON.stringify(record)}\n`;
}

/** Reads the text of a network's record. Undefined: it is none, or half of one. */
export function decodeNetwork(text: string): NetworkRecord | undefined {
	const value: Partial<NetworkRecord> | undefined = decodeObject(text);
	const isRecord =
		isText(value?.network) && isText(value.bridge) && areTexts(value.subnets) && areTexts(value.overlays);
	return isRecord && isIsolation(value.isolation) ? (value as NetworkRecord) : undefined;
}

/** Reads the text of an attachment's record. Undefined: it is none, or half of one. */
export function decodeAttachment(text: string): AttachmentRecord | undefined {
	const value: Partial<AttachmentRecord> | undefined = decodeObject(text);
	const isRecord =
		isText(value?.containerId) &&
		isText(value.ifname) &&
		isText(value.network) &&
		areTexts(value.addresses) &&
		areTexts(value.gateways) &&
		areTexts(value.excludeDevices) &&
		areTexts(value.labels) &&
		Array.isArray(value.portMappings);
	return isRecord && isIsolation(value.isolation) ? (value as AttachmentRecord) : undefined;
}

/** What the file says is what we wrote, or a part of it, so that the text need only be whole. */
function decodeObject(text: string): object | undefined {
	try {
		const value: unknown = JSON.parse(text);
		return typeof value === 'object' && value !== null ? value : undefined;
	} catch {
		return undefined;
	}
}

function isText(value: unknown): value is string {
	return typeof value === 'string';
}

function areTexts(value: unknown): boolean {
	return Array.isArray(value) && value.every(isText);
}

function isIsolation(value: unknown): boolean {
	return ISOLATIONS.some((known) => known === value);
}
