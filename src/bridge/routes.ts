// The routes of a container: as they are asked for, as they will be set, and found again.

import type { IpConfig, Route } from '../cni/result.ts';
import { sameIp, sameNetwork } from '../ip/cidr.ts';
import { RT_TABLE_MAIN } from '../netlink/route.ts';

/** A gateway that says that there is none, so that nobody puts one into its place. */
const NO_GATEWAY = ['0.0.0.0', '::'];

/** The routes as they will be set: those without a gateway get that of their family, unless their scope says on-link. */
export function resolveRoutes(
	routes: readonly Route[],
	addresses: readonly IpConfig[],
	isDefaultGateway: boolean,
): Route[] {
	const gatewayOf = (dst: string): string | undefined => {
		for (const { address, gateway } of addresses) {
			if (gateway !== undefined && address.includes(':') === dst.includes(':')) return gateway;
		}
		return undefined;
	};
	const resolved: Route[] = [];
	for (const route of routes) {
		const { gw: given, ...rest } = route;
		const isOpen = given === undefined && (route.scope === undefined || route.scope === 0);
		const gw = isOpen ? gatewayOf(route.dst) : given;
		resolved.push(gw === undefined || NO_GATEWAY.includes(gw) ? rest : { ...rest, gw });
	}
	if (!isDefaultGateway) return resolved;
	const defaults = ['0.0.0.0/0', '::/0'].filter((dst) => !resolved.some((route) => isEverything(route.dst, dst)));
	return resolved.concat(
		defaults.flatMap((dst) => {
			const gw = gatewayOf(dst);
			return gw === undefined ? [] : [{ dst, gw }];
		}),
	);
}

function isEverything(dst: string, everything: string): boolean {
	return dst.endsWith('/0') && dst.includes(':') === everything.includes(':');
}

/** The route with the destination, gateway and table of a wanted one. */
export function findRoute(present: readonly Route[], wanted: Route): Route | undefined {
	for (const route of present) {
		const isInTable = (route.table ?? RT_TABLE_MAIN) === (wanted.table ?? RT_TABLE_MAIN);
		if (isInTable && sameNetwork(route.dst, wanted.dst) && sameIp(route.gw, wanted.gw)) return route;
	}
	return undefined;
}
