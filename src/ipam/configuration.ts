// The `ipam` object of a network configuration.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { type Fields, fieldsOf, readInteger, readList, readString, refuse } from '../cni/fields.ts';
import type { NetworkConfiguration } from '../cni/network-configuration.ts';
import type { Route } from '../cni/result.ts';
import { ADDRESS_BITS, type Family } from './address.ts';
import { AGENT_FILE, readAgentFile } from './agent-file.ts';
import { type Half, HALVES, type Range, rangeOfHalf, readAgentSubnet } from './agent-subnet.ts';
import { readIpamRoutes } from './routes.ts';
import { readSubnet } from './subnet.ts';

/** Where leases are, unless the configuration says otherwise: they end with the boot, as the containers do. */
export const DATA_DIRECTORY = '/run/mesos-overlay/leases';

const OVERLAY = '9.0.0.0/8';
const PREFIX = 26;

/** Keys of each family's subnet; those of IPv6 end with 6. */
const KEYS = {
	4: { subnet: 'agentSubnet', overlay: 'overlay', prefix: 'prefix' },
	6: { subnet: 'agentSubnet6', overlay: 'overlay6', prefix: 'prefix6' },
} as const;

/** Keys of host-local, which would be missed if they were passed over. */
const NOT_YET: Readonly<Record<string, string>> = {
	ranges: 'set ipam.agentSubnet and ipam.half',
	subnet: 'set ipam.agentSubnet and ipam.half',
	rangeStart: 'containers get all of the half that ipam.half names',
	rangeEnd: 'containers get all of the half that ipam.half names',
	gateway: 'the gateway is the first address of the half',
	resolvConf: 'set dns of the network',
};

/** What an ADD needs to know. */
export interface IpamConfiguration {
	/** One a family, IPv4 first. */
	readonly ranges: readonly Range[];
	readonly routes: readonly Route[];
	readonly dataDirectory: string;
}

/**
 * Reads everything. Throws CniError: invalid configuration, unsupported field, or "try again later" when the agent file
 * does not name the network yet.
 */
export function readIpamConfiguration(network: NetworkConfiguration): IpamConfiguration {
	const fields = network.ipam ?? fieldsOf({}, 'ipam.');
	refuseUnsupported(network, fields);
	const dataDirectory = readDataDirectory(fields);
	const half = readHalf(fields);
	const ranges = [...readRange(fields, 4, half), ...readRange(fields, 6, half)];
	const found = ranges.length > 0 ? ranges : rangesOfAgent(network.name, readAgentFilePath(fields), half);
	return { ranges: found, routes: readIpamRoutes(fields, found), dataDirectory };
}

/** The directory of all leases. Throws CniError (invalid configuration) when it is no absolute path. */
export function readDataDirectory(fields: Fields | undefined): string {
	return (fields && readPath(fields, 'dataDir')) ?? DATA_DIRECTORY;
}

/** The path of the agent file. Throws CniError (invalid configuration) when it is not absolute. */
export function readAgentFilePath(fields: Fields | undefined): string {
	return (fields && readPath(fields, 'agentFile')) ?? AGENT_FILE;
}

function readPath(fields: Fields, key: string): string | undefined {
	const path = readString(fields, key);
	return path === undefined || path.startsWith('/') ? path : refuse(fields, key, 'an absolute path', path);
}

function readHalf(fields: Fields): Half {
	const value = readString(fields, 'half') ?? 'mesos';
	const half = HALVES.find((known) => known === value);
	return half ?? refuse(fields, 'half', `one of ${HALVES.map((known) => `"${known}"`).join(', ')}`, value) ?? 'mesos';
}

/** The range of a family; none when the configuration does not name its agent subnet. */
function readRange(fields: Fields, family: Family, half: Half): Range[] {
	const keys = KEYS[family];
	const path = (key: string): string => fields.path + key;
	const overlay = readString(fields, keys.overlay) ?? (family === 4 ? OVERLAY : undefined);
	const rules = {
		overlay: overlay === undefined ? undefined : readSubnet(overlay, path(keys.overlay), family),
		overlayKey: path(keys.overlay),
		prefix: readInteger(fields, keys.prefix, 0, ADDRESS_BITS[family]) ?? (family === 4 ? PREFIX : undefined),
		prefixKey: path(keys.prefix),
	};
	const text = readString(fields, keys.subnet);
	if (text === undefined) return [];
	return [rangeOfHalf(readAgentSubnet(text, path(keys.subnet), family, rules), half, path(keys.subnet))];
}

/** The ranges that the agent file gives a network; it has its own overlay and prefix length. */
function rangesOfAgent(name: string, path: string, half: Half): Range[] {
	const networks = readAgentFile(path);
	const { subnet, subnet6 } = networks?.get(name) ?? {};
	const ranges = [
		...(subnet ? [rangeOfHalf(subnet, half, `${path} networks.${name}.subnet`)] : []),
		...(subnet6 ? [rangeOfHalf(subnet6, half, `${path} networks.${name}.subnet6`)] : []),
	];
	if (ranges.length > 0) return ranges;
	const why = networks === undefined ? 'there is no such file' : 'it names no subnet of this network';
	throw new CniError(
		CniErrorCode.tryAgainLater,
		`reading the agent subnet of network "${name}" from "${path}": ${why}, start the agent daemon or set ipam.agentSubnet`,
	);
}

function refuseUnsupported({ runtimeConfig }: NetworkConfiguration, fields: Fields): void {
	for (const [key, remedy] of Object.entries(NOT_YET)) {
		if (fields.entries.has(key.toLowerCase())) throw unsupported(fields.path + key, remedy);
	}
	if (runtimeConfig && (readList(runtimeConfig, 'ipRanges')?.length ?? 0) > 0) {
		throw unsupported(`${runtimeConfig.path}ipRanges`, 'leave the capability "ipRanges" out');
	}
}

function unsupported(key: string, remedy: string): CniError {
	return new CniError(CniErrorCode.unsupportedField, `reading ${key}: this key is not supported, ${remedy}`);
}
