// What the agent daemon tells the plugins of this host about its networks.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { type Fields, fieldsOf, present, readInteger, readString } from '../cni/fields.ts';
import { readText } from '../linux/files.ts';
import type { Family } from './address.ts';
import { messageOf } from './lease-error.ts';
import { systemCode } from '../linux/errno.ts';
import { readPath } from './path.ts';
import { contains, formatSubnet, invalid, readSubnet, type Subnet } from './subnet.ts';

/** Where the daemon writes it, unless told otherwise. */
const AGENT_FILE = '/run/mesos-overlay/agent.json';

/** The path of the agent file. Throws CniError (invalid configuration) when it is not absolute. */
export function readAgentFilePath(fields: Fields | undefined): string {
	return (fields && readPath(fields, 'agentFile')) ?? AGENT_FILE;
}

const KEYS = { 4: ['subnet', 'overlay'], 6: ['subnet6', 'overlay6'] } as const;

/** A network as this host has it: its parts of the overlay, one a family at most, and the MTU in bytes. */
export interface AgentNetwork {
	readonly subnet?: Subnet;
	readonly subnet6?: Subnet;
	readonly overlay?: Subnet;
	readonly overlay6?: Subnet;
	readonly mtu?: number;
}

/**
 * The networks of this host by name, as the agent file says them. Undefined: there is no file. Throws CniError (I/O,
 * decoding, or invalid configuration) with the path in its message.
 */
export function readAgentFile(path: string): ReadonlyMap<string, AgentNetwork> | undefined {
	let text: string;
	try {
		text = readText(path);
	} catch (error) {
		if (systemCode(error) === 'ENOENT') return undefined;
		throw new CniError(
			CniErrorCode.ioFailure,
			`reading the agent file "${path}": ${systemCode(error) ?? 'failed'}`,
			{ cause: error },
		);
	}
	return decodeAgentFile(text, path);
}

/** Reads the text of an agent file; `path` is for messages. Throws CniError (decoding, or invalid configuration). */
export function decodeAgentFile(text: string, path: string): ReadonlyMap<string, AgentNetwork> {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch (error) {
		throw new CniError(CniErrorCode.decodingFailure, `reading the agent file "${path}": ${messageOf(error)}`, {
			cause: error,
		});
	}
	const networks = fieldsOf(value, path).entries.get('networks') ?? {};
	fieldsOf(networks, `${path} networks`);
	// Names of networks differ by case, unlike keys.
	const decode = ([name, network]: [string, unknown]) =>
		[name, decodeNetwork(fieldsOf(network, `${path} networks.${name}.`))] as const;
	return new Map(Object.entries(networks).map(decode));
}

function decodeNetwork(fields: Fields): AgentNetwork {
	return present({
		...decodeFamily(fields, 4),
		...decodeFamily(fields, 6),
		mtu: readInteger(fields, 'mtu', 68, 65535),
	});
}

function decodeFamily(fields: Fields, family: Family): AgentNetwork {
	const read = (key: string): Subnet | undefined => {
		const text = readString(fields, key);
		return text === undefined ? undefined : readSubnet(text, fields.path + key, family);
	};
	const [subnetKey, overlayKey] = KEYS[family];
	const subnet = read(subnetKey);
	const overlay = read(overlayKey);
	if (subnet !== undefined && overlay !== undefined && !contains(overlay, subnet)) {
		throw invalid(
			fields.path + subnetKey,
			formatSubnet(subnet),
			`is not inside the overlay "${formatSubnet(overlay)}"`,
		);
	}
	return present({ [subnetKey]: subnet, [overlayKey]: overlay });
}

/** The text of an agent file, one network a line. */
export function encodeAgentFile(networks: ReadonlyMap<string, AgentNetwork>): string {
	const lines = Array.from(
		networks,
		([name, network]) => `${JSON.stringify(name)}: ${JSON.stringify(encodeNetwork(network))}`,
	);
	return `{"networks": {\n${lines.join(',\n')}\n}}\n`;
}

function encodeNetwork({
	subnet,
	subnet6,
	overlay,
	overlay6,
	mtu,
}: AgentNetwork): Record<string, string | number | null> {
	const text = (value: Subnet | undefined): string | null => (value === undefined ? null : formatSubnet(value));
	return {
		subnet: text(subnet),
		subnet6: text(subnet6),
		overlay: text(overlay),
		...(overlay6 && { overlay6: formatSubnet(overlay6) }),
		...(mtu !== undefined && { mtu }),
	};
}
