// The ranges out of this agent's part of the overlay: its half of the agent subnet, of each family.

import { CniError, CniErrorCode } from '../cni/errors.ts';
import { type Fields, readInteger, readString, refuse } from '../cni/fields.ts';
import { ADDRESS_BITS, type Family } from './address.ts';
import { readAgentFile, readAgentFilePath } from './agent-file.ts';
import { type Half, HALVES, rangeOfHalf, readAgentSubnet } from './agent-subnet.ts';
import type { Range } from './range.ts';
import { type OnLinkGateways, readOnLinkGateways } from './routed.ts';
import { readSubnet } from './subnet.ts';

/** The overlay of the agent subnet, unless it is said. */
export const OVERLAY = '9.0.0.0/8';
const PREFIX = 26;

/** Keys of each family's subnet; those of IPv6 end with 6. */
const KEYS = {
	4: { subnet: 'agentSubnet', overlay: 'overlay', prefix: 'prefix' },
	6: { subnet: 'agentSubnet6', overlay: 'overlay6', prefix: 'prefix6' },
} as const;

/** The keys that name it; the agent file is read without them. */
export const AGENT_SUBNETS = [KEYS[4].subnet, KEYS[6].subnet] as const;

/**
 * The range of each family, IPv4 first, by `agentSubnet` and `agentSubnet6`, or by the agent file if neither is set. Throws
 * CniError: invalid configuration, or "try again later" when the agent file does not name the network yet.
 */
export function readAgentRanges(fields: Fields, network: string): Range[] {
	const half = readHalf(fields);
	const gateways = readOnLinkGateways(fields, network);
	const ranges = [...readRange(fields, 4, half, gateways), ...readRange(fields, 6, half, gateways)];
	return ranges.length > 0 ? ranges : rangesOfAgent(network, readAgentFilePath(fields), half, gateways);
}

function readHalf(fields: Fields): Half {
	const value = readString(fields, 'half') ?? 'mesos';
	for (const half of HALVES) if (half === value) return half;
	return refuse(fields, 'half', `one of ${HALVES.map((known) => `"${known}"`).join(', ')}`, value) ?? 'mesos';
}

/** The range of a family; none when the configuration does not name its agent subnet. */
function readRange(fields: Fields, family: Family, half: Half, gateways: OnLinkGateways | undefined): Range[] {
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
	return [rangeOfHalf(readAgentSubnet(text, path(keys.subnet), family, rules), half, path(keys.subnet), gateways)];
}

/** The ranges that the agent file gives a network; it has its own overlay and prefix length. */
function rangesOfAgent(name: string, path: string, half: Half, gateways: OnLinkGateways | undefined): Range[] {
	const networks = readAgentFile(path);
	const { subnet, subnet6 } = networks?.get(name) ?? {};
	const ranges = [
		...(subnet ? [rangeOfHalf(subnet, half, `${path} networks.${name}.subnet`, gateways)] : []),
		...(subnet6 ? [rangeOfHalf(subnet6, half, `${path} networks.${name}.subnet6`, gateways)] : []),
	];
	if (ranges.length > 0) return ranges;
	const why = networks === undefined ? 'there is no such file' : 'it names no subnet of this network';
	throw new CniError(
		CniErrorCode.tryAgainLater,
		`reading the agent subnet of network "${name}" from "${path}": ${why}, start the agent daemon or set ipam.agentSubnet`,
	);
}
