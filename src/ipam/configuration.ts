// The `ipam` object of a network configuration.

import { type Fields, fieldsOf } from '../cni/fields.ts';
import type { NetworkConfiguration } from '../cni/network-configuration.ts';
import type { Route } from '../cni/result.ts';
import { readRoutes } from '../cni/routes.ts';
import { namesRanges } from './configured-ranges.ts';
import type { Lease } from './lease.ts';
import { readPath } from './path.ts';
import { readQuarantine } from './quarantine.ts';
import type { RangeSet } from './range-set.ts';
import { readIpamRoutes } from './routes.ts';
import { readAgentSets, readRangeSets } from './sets.ts';
import { readSticky, type Sticky } from './sticky.ts';

/** Where leases are, unless the configuration says otherwise: they end with the boot, as the containers do. */
export const DATA_DIRECTORY = '/run/mesos-overlay/leases';

/** What an ADD needs to know. */
export interface IpamConfiguration extends Pick<Lease, 'quarantine'> {
	/** An attachment gets one address of each, in this order. */
	readonly sets: readonly RangeSet[];
	readonly routes: readonly Route[];
	readonly dataDirectory: string;
	/** The path of the file that says the resolver of the containers. */
	readonly resolvConf: string | undefined;
	/** By what a task is known that gets its address back. */
	readonly sticky: Sticky | undefined;
}

/**
 * Reads everything. Throws CniError: invalid configuration, unsupported field, or "try again later" when the agent file
 * does not name the network yet.
 */
export function readIpamConfiguration(network: NetworkConfiguration): IpamConfiguration {
	const fields = network.ipam ?? fieldsOf({}, 'ipam.');
	const dataDirectory = readDataDirectory(fields);
	const resolvConf = readPath(fields, 'resolvConf');
	const isForHostLocal = namesRanges(network, fields);
	const sets = isForHostLocal ? readRangeSets(network, fields) : readAgentSets(network, fields);
	// What is written for host-local means the same here: its routes are left as they are, and none is added.
	const routes = isForHostLocal ? readRoutes(fields, 'routes') : readIpamRoutes(fields, sets);
	return { sets, routes, dataDirectory, resolvConf, sticky: readSticky(fields), ...readQuarantine(fields) };
}

/** The directory of all leases. Throws CniError (invalid configuration) when it is no absolute path. */
export function readDataDirectory(fields: Fields | undefined): string {
	return (fields && readPath(fields, 'dataDir')) ?? DATA_DIRECTORY;
}
