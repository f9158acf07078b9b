// The IPAM plugin: gives a container its addresses out of the agent's half, and takes them back.

import { CniError, CniErrorCode, toCniError } from '../cni/errors.ts';
import type { Plugin } from '../cni/plugin.ts';
import { requestedAddresses } from '../cni/requested-addresses.ts';
import type { Request } from '../cni/request.ts';
import type { IpConfig } from '../cni/result.ts';
import { bootId } from '../linux/boot-id.ts';
import { namespaceIdentity } from '../linux/network-namespace.ts';
import { note } from '../linux/standard-error.ts';
import { formatAddress, parseAddress } from './address.ts';
import { checkLeases } from './check.ts';
import { DATA_DIRECTORY, readDataDirectory, readIpamConfiguration } from './configuration.ts';
import { demandsOf } from './demands.ts';
import { collectGarbage } from './gc.ts';
import { leaseAddresses } from './lease-addresses.ts';
import { LeaseError, messageOf } from './lease-error.ts';
import { keepLocked, openLocked } from './lease-file.ts';
import { formatInRange } from './range.ts';
import { rangeAround } from './range-set.ts';
import { releaseAttachment } from './release.ts';
import { readResolvConf } from './resolv-conf.ts';
import { type Leased, onLinkRoutes, type RoutedAddress, routedAddresses } from './routed.ts';
import { assertReady } from './status.ts';
import { taskOf } from './sticky.ts';
import { attachmentPath, type Store, storeExists, storeOf } from './store.ts';

/** What the agent file may cause: it is missing, unreadable, or broken. */
const PASSING: ReadonlySet<number> = new Set([
	CniErrorCode.tryAgainLater,
	CniErrorCode.ioFailure,
	CniErrorCode.decodingFailure,
]);

/** A plugin that gives addresses, and tells the main plugin in the same process what the host has to do for them. */
export interface AddressManager extends Plugin {
	add(request: Request): Leased | Promise<Leased>;
	/** The same of the addresses in `prevResult`. */
	routed(request: Request): readonly RoutedAddress[];
}

/** A delegate as CNI SPEC 1.1 §4 has it: its results have no interfaces. An ADD that fails has released what it leased. */
export const ipamPlugin: AddressManager = {
	about: 'leases addresses of an agent subnet, or of ranges',
	add,
	del,
	check,
	gc,
	status,
	routed: routedOf,
};

function add(request: Request): Leased {
	const { sets, routes, dataDirectory, resolvConf, sticky, quarantine } = readIpamConfiguration(
		request.configuration,
	);
	const dns = resolvConf === undefined ? {} : readResolvConf(resolvConf);
	const demands = demandsOf(sets, requestedAddresses(request));
	const { containerId, ifname, netns, deadline } = request;
	const now = Date.now();
	const task = taskOf(sticky, request);
	const kept = { ...(quarantine && { quarantine }), ...(task !== undefined && { task }) };
	const namespace = namespaceIdentity(netns);
	const holder = { containerId, ifname, netns, ...(namespace && { namespace }), time: now, ...kept };
	const store = storeOf(dataDirectory, request.configuration.name);
	const addresses = leaseAddresses(store, holder, demands, { bootId: bootId(), deadline, now });
	const ips: IpConfig[] = [];
	for (const address of addresses) {
		const set = sets[ips.length];
		const range = set && rangeAround(set, address);
		if (range) ips.push({ address: formatInRange(range, address), gateway: formatAddress(range.gateway) });
	}
	const routed = routedAddresses(sets, addresses);
	return { interfaces: [], ips, routes: [...onLinkRoutes(routed), ...routes], dns, routed };
}

function routedOf({ configuration }: Request): RoutedAddress[] {
	const { sets } = readIpamConfiguration(configuration);
	const ips = configuration.prevResult?.ips ?? [];
	const addresses = ips.flatMap(({ address }) => parseAddress(address.replace(/\/.*/, '')) ?? []);
	return routedAddresses(sets, addresses);
}

/** Needs no more of the configuration than where the leases are, since nobody can repair it any more. */
function del(request: Request): void {
	const store = storeForDel(request);
	if (storeExists(store)) releaseAttachment(store, request, request.deadline);
}

/**
 * Waits until no other call works on the attachment, and keeps it so until this process ends: who removes an interface
 * must not meet the ADD that is making it. Throws LeaseError `busy` when that takes longer than the deadline.
 */
export function holdAttachment(request: Request): void {
	const store = storeForDel(request);
	const file = storeExists(store) && openLocked(store, attachmentPath(store, request, 0), request, request.deadline);
	if (file) keepLocked(store, file);
}

function storeForDel({ configuration: { name, ipam } }: Request): Store {
	try {
		return storeOf(readDataDirectory(ipam && { ...ipam, lenient: false }), name);
	} catch (error) {
		note(`${messageOf(error)}, looking in "${DATA_DIRECTORY}"`);
		return storeOf(DATA_DIRECTORY, name);
	}
}

function check(request: Request): void {
	const { name, prevResult } = request.configuration;
	const { sets, dataDirectory } = readIpamConfiguration(request.configuration);
	checkLeases(storeOf(dataDirectory, name), request, sets, prevResult?.ips ?? [], bootId());
}

async function gc({ configuration: { name, ipam, validAttachments }, deadline }: Request): Promise<void> {
	if (validAttachments === undefined) return;
	await collectGarbage(storeOf(readDataDirectory(ipam), name), validAttachments, deadline);
}

function status({ configuration, deadline }: Request): void {
	try {
		const { sets, dataDirectory, resolvConf } = readIpamConfiguration(configuration);
		if (resolvConf !== undefined) readResolvConf(resolvConf);
		const terms = { bootId: bootId(), deadline, now: Date.now() };
		assertReady(storeOf(dataDirectory, configuration.name), sets, terms);
	} catch (error) {
		const failure = toCniError(error);
		// A configuration that is wrong stays so; everything else may come right.
		const mayPass = error instanceof LeaseError || PASSING.has(failure.code);
		throw mayPass ? new CniError(CniErrorCode.notAvailable, failure.message, { cause: error }) : failure;
	}
}
