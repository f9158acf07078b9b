// Has the kernel forget connections that it tracks.

import { AF_INET, AF_INET6, addressFamily, requireIp } from './address-family.ts';
import {
	decodeCount,
	decodeTracked,
	encodeFilter,
	type FamilyFilter,
	identityOf,
	IPCTNL_MSG_CT_DELETE,
	IPCTNL_MSG_CT_GET,
	IPCTNL_MSG_CT_GET_STATS,
	type Tracked,
	trackedRequest,
} from './conntrack-message.ts';
import type { Connection } from './connection.ts';
import type { Request } from './message.ts';
import { tolerating } from './netlink-error.ts';

const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;

/** Which connections; of what is absent, any. */
export interface TrackedFilter {
	/** Of the transport: IPPROTO_UDP is 17. */
	readonly protocol?: number;
	/** To which the first packet went, before it was translated. */
	readonly port?: number;
	readonly address?: string;
	/** Where replies come from: the container's address, when the destination was translated to it. */
	readonly repliesFrom?: string;
}

/**
 * For each filter that the kernel picks by, it looks at all connections, and is done in 0.2 ms when there are few. It lists
 * for any number of filters at once, but locks each of its buckets, which takes 10 ms for the usual 262,144. Below so many
 * looks (filters times connections) it is quicker to pick.
 */
const MOST_LOOKS = 15_000;

/**
 * Forgets the connections that one of the filters describes, so that their next packets are looked up in the ruleset again.
 * The kernel can pick them itself from Linux 6.11 on, but see {@link isPickedRight}; else it lists them, and is told which.
 */
export function forgetTracked(connection: Connection, filters: readonly TrackedFilter[]): void {
	const wanted = filters.flatMap(oneForEachFamily);
	const count = wanted.length === 0 ? 0 : countTracked(connection);
	if (count === 0) return;
	const picked = wanted.filter(isPickedRight);
	const pick = () => connection.execute(...picked.map(pickRequest));
	const didPick = picked.length * count <= MOST_LOOKS && tolerating(['EINVAL', 'EOPNOTSUPP'], pick);
	const others = didPick ? wanted.filter((one) => !isPickedRight(one)) : wanted;
	for (const family of [AF_INET, AF_INET6]) {
		const ofFamily = others.filter((one) => one.family === family);
		if (ofFamily.length > 0) forgetListed(connection, family, ofFamily);
	}
}

function countTracked(connection: Connection): number {
	return decodeCount(connection.get(trackedRequest('counting tracked connections', IPCTNL_MSG_CT_GET_STATS, 0, [])));
}

function oneForEachFamily({ protocol, port, address, repliesFrom }: TrackedFilter): FamilyFilter[] {
	const ip = address ?? repliesFrom;
	const families = ip === undefined ? [AF_INET, AF_INET6] : [addressFamily(requireIp(ip))];
	return families.map((family) => ({
		family,
		protocol,
		port,
		address: address === undefined ? undefined : requireIp(address),
		repliesFrom: repliesFrom === undefined ? undefined : requireIp(repliesFrom),
	}));
}

/**
 * Whether the kernel itself finds just what is wanted. It compares IPv6 addresses the wrong way round, and looks at ports of
 * TCP and UDP only (Linux 5.8 to 6.18 at least, ctnetlink_filter_match_tuple in net/netfilter/nf_conntrack_netlink.c).
 */
function isPickedRight({ family, protocol, port, address, repliesFrom }: FamilyFilter): boolean {
	const isAddressRight = family === AF_INET || (address === undefined && repliesFrom === undefined);
	return isAddressRight && (port === undefined || protocol === IPPROTO_TCP || protocol === IPPROTO_UDP);
}

/** Has the kernel forget what a filter describes. Older kernels miss the rest of the tuple, and refuse. */
function pickRequest(one: FamilyFilter): Request {
	return trackedRequest('forgetting tracked connections', IPCTNL_MSG_CT_DELETE, one.family, encodeFilter(one));
}

/** Lists with what all filters have in common; kernels before 5.8 list everything, and so what comes is looked at again. */
function forgetListed(connection: Connection, family: number, wanted: readonly FamilyFilter[]): void {
	const [first] = wanted;
	const protocol = wanted.every((one) => one.protocol === first?.protocol) ? first?.protocol : undefined;
	const port = wanted.every((one) => one.port === first?.port) ? first?.port : undefined;
	const filter = encodeFilter({ family, protocol, port });
	const found = connection
		.dump(trackedRequest('listing tracked connections', IPCTNL_MSG_CT_GET, family, filter))
		.filter((payload) => wanted.some((one) => isMeant(decodeTracked(payload), one)))
		.map((payload) =>
			trackedRequest('forgetting a tracked connection', IPCTNL_MSG_CT_DELETE, family, identityOf(payload)),
		);
	// One is missing when it has expired in the meantime; the kernel goes on with the others.
	tolerating(['ENOENT'], () => connection.execute(...found));
}

function isMeant(tracked: Tracked, { protocol, port, address, repliesFrom }: FamilyFilter): boolean {
	return (
		(protocol === undefined || tracked.protocol === protocol) &&
		(port === undefined || tracked.port === port) &&
		(address === undefined || tracked.address?.equals(address) === true) &&
		(repliesFrom === undefined || tracked.repliesFrom?.equals(repliesFrom) === true)
	);
}
