// Takes an agent's part off its host.

import { rmSync } from 'node:fs';
import { messageOf } from '../ipam/lease-error.ts';
import { describe } from '../cni/request.ts';
import { listLeases } from '../ipam/leases.ts';
import { diedBefore, diedUnseen } from '../ipam/liveness.ts';
import { storeExists, storeOf } from '../ipam/store.ts';
import { kernel as system } from '../ipam/system.ts';
import { bootId } from '../linux/boot-id.ts';
import { withBackend } from '../nat/backend.ts';
import { dropForwardRules } from '../nat/forward-policy-change.ts';
import { readRecords } from '../nat/record-files.ts';
import { PORT_TABLE } from '../nat/port-table.ts';
import { TABLE } from '../nat/table.ts';
import { commit } from '../netlink/nf-batch.ts';
import { findTable, removeTable } from '../netlink/nf-table.ts';
import { isKernelError } from '../netlink/netlink-error.ts';
import { NETLINK_NETFILTER, openConnection } from '../netlink/socket.ts';
import { apply } from './kernel/apply.ts';
import { NOTHING } from './kernel/host-state.ts';
import { openKernel } from './kernel/kernel.ts';
import { look } from './kernel/look.ts';
import { isOfAgent, keepNetworks, type RulesOptions } from './plugin/network-records.ts';
import { plan } from './kernel/plan.ts';

export interface RemoveOptions {
	/** The name of the VTEP. */
	readonly vtep: string;
	readonly rules: RulesOptions;
	/** Where the leases of all networks are. */
	readonly dataDirectory: string;
	/** The networks of which this host had a part. */
	readonly networks: readonly string[];
}

/**
 * Takes devices, routes, rules, records and leases off the host, as far as nobody uses them: a bridge with ports stays, and the
 * leases of a network with a living container. Called again, it goes on. Nothing waits past `deadline` (ms of
 * performance.now()). Gives what was left and why, in words; empty when nothing is.
 */
export async function removeEverything(options: RemoveOptions, deadline: number): Promise<string[]> {
	const left: string[] = [];
	const attempt = async (step: () => string[] | Promise<string[]>): Promise<void> => {
		try {
			left.push(...(await step()));
		} catch (error) {
			left.push(messageOf(error));
		}
	};
	await attempt(() => removeDevices(options.vtep, deadline));
	await attempt(() => removeRules(options.rules, deadline));
	for (const network of options.networks) await attempt(() => removeLeases(options.dataDirectory, network));
	return left;
}

function removeDevices(vtep: string, deadline: number): string[] {
	const kernel = openKernel(deadline);
	try {
		const seen = look(kernel, vtep, NOTHING);
		const failures = apply(kernel, vtep, plan(NOTHING, seen));
		const busy = [...seen.bridges].filter(([, { hasPorts }]) => hasPorts);
		return [
			...failures.map(({ error }) => messageOf(error)),
			...busy.map(([name]) => `bridge "${name}" has ports: it stays until their containers have gone`),
		];
	} finally {
		kernel.close();
	}
}

async function removeRules(rules: RulesOptions, deadline: number): Promise<string[]> {
	const { networks } = readRecords(rules.directory);
	await keepNetworks(rules, [], deadline);
	const left = readRecords(rules.directory);
	const [one] = left.attachments;
	if (one !== undefined)
		return [`the rules are needed by container "${one.containerId}" of network "${one.network}"`];
	// That of its bridge has been told.
	if (left.networks.some(isOfAgent)) return [];
	// What the plugin noted down of networks is of no use without containers.
	if (rules.backend === 'iptables' || networks.some(({ backend }) => backend === 'iptables')) {
		await withBackend('iptables', deadline, (backend) => backend.restore({ networks: [], attachments: [] }));
	}
	// Those of the agent's networks are gone.
	dropForwardRules(
		left.networks.map(({ bridge }) => bridge),
		deadline,
	);
	removeTables(deadline);
	rmSync(rules.directory, { recursive: true, force: true });
	return [];
}

function removeTables(deadline: number): void {
	const connection = openConnection(NETLINK_NETFILTER, deadline);
	try {
		const tables = [TABLE, PORT_TABLE].filter((table) => findTable(connection, table) !== undefined);
		if (tables.length > 0) commit(connection, tables.map(removeTable));
	} catch (error) {
		// A kernel without nf_tables has none.
		if (!isKernelError(error, 'EPROTONOSUPPORT', 'EOPNOTSUPP', 'EINVAL')) throw error;
	} finally {
		connection.close();
	}
}

function removeLeases(dataDirectory: string, network: string): string[] {
	const store = storeOf(dataDirectory, network);
	if (!storeExists(store)) return [];
	const { found, problems } = listLeases(store);
	const obituaries = [diedBefore(bootId()), diedUnseen(system, Date.now())];
	const living = found.filter((lease) => !obituaries.some((died) => died(lease) !== undefined));
	const [one] = living;
	if (one !== undefined) return [`network "${network}" has ${living.length} leases, one of them of ${describe(one)}`];
	if (problems.length > 0) return problems.map(messageOf);
	rmSync(store.directory, { recursive: true, force: true });
	return [];
}
