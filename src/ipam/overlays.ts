// The overlays that a network is a part of.

import { fieldsOf, readString } from '../cni/fields.ts';
import type { NetworkConfiguration } from '../cni/network-configuration.ts';
import { readAgentFile, readAgentFilePath } from './agent-file.ts';
import { OVERLAY } from './agent-ranges.ts';
import { namesRanges } from './configured-ranges.ts';
import { asksAgent } from './sets.ts';
import { formatSubnet } from './subnet.ts';

/**
 * The overlay of each family, as CIDR; none for addresses that are no part of an overlay. To be called after the addresses
 * were leased: what is wrong with the configuration was said then. Throws what the agent file causes.
 */
export function overlaysOf(network: NetworkConfiguration): string[] {
	const fields = network.ipam ?? fieldsOf({}, 'ipam.');
	if (namesRanges(network, fields)) return [];
	if (asksAgent(network, fields)) {
		const { overlay, overlay6 } = readAgentFile(readAgentFilePath(fields))?.get(network.name) ?? {};
		return [overlay, overlay6].flatMap((subnet) => (subnet === undefined ? [] : [formatSubnet(subnet)]));
	}
	const isSet = (key: string): boolean => readString(fields, key) !== undefined;
	const overlay = isSet('agentSubnet') ? (readString(fields, 'overlay') ?? OVERLAY) : undefined;
	const overlay6 = isSet('agentSubnet6') ? readString(fields, 'overlay6') : undefined;
	return [overlay, overlay6].filter((each) => each !== undefined);
}
