// The routes that containers get.

import type { Fields } from '../cni/fields.ts';
import type { Route } from '../cni/result.ts';
import { readRoutes } from '../cni/routes.ts';
import { parseAddress } from './address.ts';
import type { RangeSet } from './range-set.ts';
import { invalid, readSubnet } from './subnet.ts';

const EVERYTHING = { 4: '0.0.0.0/0', 6: '::/0' } as const;

/**
 * The routes of `ipam.routes`; without the key, everything of each set's family. A route without gateway is left so,
 * for the caller to resolve. Throws CniError (invalid configuration).
 */
export function readIpamRoutes(fields: Fields, sets: readonly RangeSet[]): Route[] {
	const routes = readRoutes(fields, 'routes');
	if (!fields.entries.has('routes')) {
		for (const { family } of sets) routes.push({ dst: EVERYTHING[family] });
		return routes;
	}
	for (const [index, { dst, gw }] of routes.entries()) {
		const path = `${fields.path}routes[${index}].`;
		const { family } = readSubnet(dst, `${path}dst`);
		if (gw !== undefined && parseAddress(gw)?.family !== family) {
			throw invalid(`${path}gw`, gw, `is no IPv${family} address, as "${dst}" needs`);
		}
	}
	return routes;
}
