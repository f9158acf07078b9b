// How many agents and containers a network has room for.

import { ADDRESS_BITS, type Family } from '../ipam/address.ts';
import { rangeOfHalf } from '../ipam/agent-subnet.ts';
import { formatSubnet } from '../ipam/subnet.ts';
import type { Network, NetworkPart, VtepSettings } from './configuration.ts';

/** The room of one family of a network. */
export interface Capacity {
	readonly network: string;
	readonly subnet: string;
	readonly prefix: number;
	/** How many agent subnets there are. */
	readonly agents: bigint;
	/** How many containers each half of an agent subnet has addresses for. */
	readonly containers: bigint;
}

/** The room of each family of each network. */
export function capacitiesOf(networks: readonly Network[]): Capacity[] {
	return networks.flatMap(({ name, ipv4, ipv6 }) =>
		[ipv4, ipv6].filter((part) => part !== undefined).map((part) => capacityOf(name, part)),
	);
}

function capacityOf(network: string, { subnet, prefix }: NetworkPart): Capacity {
	const { first, last } = rangeOfHalf({ ...subnet, prefix }, 'mesos', 'prefix');
	const agents = 1n << BigInt(prefix - subnet.prefix);
	return { network, subnet: formatSubnet(subnet), prefix, agents, containers: last - first + 1n };
}

/** How many agents can have a VTEP, the first and the last address of each subnet being nobody's. */
export function vtepCapacity({ subnet, subnet6 }: VtepSettings): bigint {
	const room = (family: Family, prefix: number): bigint => (1n << BigInt(ADDRESS_BITS[family] - prefix)) - 2n;
	const ipv4 = room(4, subnet.prefix);
	const ipv6 = subnet6 === undefined ? ipv4 : room(6, subnet6.prefix);
	return ipv4 < ipv6 ? ipv4 : ipv6;
}
