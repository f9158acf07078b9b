// Routes of one routing protocol: each daemon has a number, by which its routes are told from those of others.
// include/uapi/linux/rtnetlink.h

import { formatIp } from '../ip/address.ts';
import { AF_INET, AF_INET6, addressFamily, requireCidr, requireIp } from './address-family.ts';
import { bytes, decodeAttributes, decodeBytes, decodeNumber, u32 } from './attribute.ts';
import type { Connection } from './connection.ts';
import { NLM_F_CREATE, NLM_F_REPLACE, type Request } from './message.ts';
import { NetlinkError } from './netlink-error.ts';
import {
	RT_TABLE_MAIN,
	RTA_DST,
	RTA_GATEWAY,
	RTA_OIF,
	RTA_PRIORITY,
	RTA_TABLE,
	RTM_DELROUTE,
	RTM_GETROUTE,
	RTM_NEWROUTE,
	RTMSG,
	rtmsg,
} from './route.ts';

const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_NOWHERE = 255;
const RTN_UNICAST = 1;
const RTN_UNREACHABLE = 7;
const RTNH_F_ONLINK = 4;

/**
 * In IPv6, routes with the same metric to the same destination share its traffic. This one is ours alone, and smaller than
 * 1024, that of routes without one.
 */
const IPV6_METRIC = 512;

/** A route of the main table. */
export interface ProtocolRoute {
	readonly dst: string;
	/** Absent: nobody has these addresses, and who sends there is told so. */
	readonly via?: {
		/** An address that is taken to be on the link, whatever addresses the link has. '' when a route has none. */
		readonly gw: string;
		/** The index of the link. */
		readonly link: number;
	};
}

/**
 * Adds a route. In IPv4 it goes before others to the same destination, which stay, and is `EEXIST` when it is there; in
 * IPv6 it takes the place of the one that the protocol has.
 */
export function setProtocolRoute(protocol: number, route: ProtocolRoute): Request {
	const replaces = route.dst.includes(':') ? NLM_F_REPLACE : 0;
	return {
		operation: `setting ${describe(route)}`,
		type: RTM_NEWROUTE,
		flags: NLM_F_CREATE | replaces,
		...encode(protocol, route, RT_SCOPE_UNIVERSE),
	};
}

/** Removes a route, and none of another protocol. `ESRCH` when it is not there. */
export function removeProtocolRoute(protocol: number, route: ProtocolRoute): Request {
	return {
		operation: `removing ${describe(route)}`,
		type: RTM_DELROUTE,
		flags: 0,
		...encode(protocol, route, RT_SCOPE_NOWHERE),
	};
}

function encode(protocol: number, { dst, via }: ProtocolRoute, scope: number): Pick<Request, 'fixed' | 'attributes'> {
	const { ip, prefix } = requireCidr(dst);
	const family = addressFamily(ip);
	const fixed = rtmsg(family, prefix, RT_TABLE_MAIN, family === AF_INET6 ? RT_SCOPE_UNIVERSE : scope, protocol);
	const attributes = [bytes(RTA_DST, ip)];
	if (via === undefined) {
		fixed[7] = RTN_UNREACHABLE;
	} else {
		fixed[8] = RTNH_F_ONLINK;
		if (via.gw !== '') attributes.push(bytes(RTA_GATEWAY, requireIp(via.gw)));
		attributes.push(u32(RTA_OIF, via.link));
	}
	if (family === AF_INET6) attributes.push(u32(RTA_PRIORITY, IPV6_METRIC));
	return { fixed, attributes };
}

function describe({ dst, via }: ProtocolRoute): string {
	return via === undefined ? `unreachable route ${dst}` : `route ${dst} via ${via.gw}`;
}

/** The routes of a protocol in the main table, of both families. */
export function listProtocolRoutes(connection: Connection, protocol: number): ProtocolRoute[] {
	return [AF_INET, AF_INET6].flatMap((family) => {
		const fixed = rtmsg(family, 0, 0, 0, protocol);
		fixed[7] = 0;
		return connection
			.dump({
				operation: `listing the routes of protocol ${protocol}`,
				type: RTM_GETROUTE,
				flags: 0,
				fixed,
				attributes: [u32(RTA_TABLE, RT_TABLE_MAIN)],
			})
			.map(decodeProtocolRoute)
			.filter((found) => found.protocol === protocol && found.isMain)
			.map(({ route }) => route);
	});
}

/** A route with what is only of interest to find it. */
interface FoundRoute {
	readonly route: ProtocolRoute;
	readonly protocol: number;
	/** Whether it is in the main table. */
	readonly isMain: boolean;
}

/** Decodes what RTM_NEWROUTE carries, as far as the routes here go. Throws NetlinkError `EBADMSG` when it is truncated. */
export function decodeProtocolRoute(payload: Buffer): FoundRoute {
	if (payload.length < RTMSG) throw new NetlinkError('decoding a route', 'EBADMSG', 'truncated');
	const { 0: family, 1: prefix = 0, 4: table = 0, 5: protocol = 0, 7: type } = payload;
	const attributes = decodeAttributes(payload, RTMSG);
	const dst = decodeBytes(attributes, RTA_DST);
	const gw = decodeBytes(attributes, RTA_GATEWAY);
	const everything = family === AF_INET6 ? '::' : '0.0.0.0';
	const via = { gw: gw === undefined ? '' : formatIp(gw), link: decodeNumber(attributes, RTA_OIF) ?? 0 };
	return {
		route: {
			dst: `${dst === undefined ? everything : formatIp(dst)}/${prefix}`,
			...(type === RTN_UNICAST && { via }),
		},
		protocol,
		isMain: (decodeNumber(attributes, RTA_TABLE) ?? table) === RT_TABLE_MAIN,
	};
}
