// The group `ipam`: addresses are leased and released, beside host-local, in stores of different sizes.

import { writeFileSync } from 'node:fs';
import { cniCall, type Competitor } from './competitor.ts';
import type { Group } from './group.ts';
import { type Fill, type Holding, hostLocalStore, ourStore } from './lease-stores.ts';
import type { Call } from './launcher.ts';
import { alternate, carryOut, type PlannedStep, type Samples } from './plan.ts';
import { ourProgram, referenceProgram } from './programs.ts';
import { randomPause, shuffled } from './random.ts';
import { CPU, makeRow, quotientOf, ratioAtMost, type Row, sumOf, type Target, valuesOf, WALL } from './rows.ts';
import { type Host, type Stage, withStage } from './stage.ts';

interface Manager extends Competitor {
	readonly program: string;
	/** The word by which its files are known. */
	readonly name: string;
	readonly fill: (netns: string) => Fill;
	/** The `ipam` object that gives out the same addresses: those of 9.0.0.0/17 but the first two and the last. */
	readonly configuration: Record<string, unknown>;
	/** What it says when all addresses are held. */
	readonly refusal: string;
}

/** A store of one of them with so many leases. */
interface Pool {
	readonly manager: Manager;
	readonly size: number;
	/** The path of its network configuration. */
	readonly input: string;
	readonly directory: string;
}

/** How many addresses the Mesos half of a /16 has for containers. */
const CAPACITY = 2 ** 15 - 3;
const SIZES = [0, 1000, 30_000] as const;
const NETWORK = 'pool';

/** How often a refusal is repeated after the first one, in each of the rounds. */
const REPEATED = 3;

const withLeases = (size: number): string => `with ${size.toLocaleString('en')} leases`;
const FIRST_REFUSAL = 'refusal, first look';
const REFUSAL = 'refusal, afterwards';

const TARGETS: ReadonlyMap<number, Target> = new Map([
	[1000, ratioAtMost(0.5)],
	[30_000, ratioAtMost(0.1)],
]);

export const IPAM: Group = {
	name: 'ipam',
	title: 'The IPAM plugin alone, in the Mesos half of a /16',
	async measure({ runs, directory }) {
		const managers = await findManagers();
		return withStage(directory, (stage) => {
			const host = stage.addHost(1);
			const steps = planSteps(managers, stage, host, runs);
			const samples = carryOut(steps, `${stage.directory}/plan.jsonl`);
			return { competitors: managers, rows: makeRows(managers, samples) };
		});
	},
};

async function findManagers(): Promise<readonly Manager[]> {
	const ours = ourProgram('mesos-overlay-ipam');
	const reference = await referenceProgram('host-local');
	return [
		{
			title: 'mesos-overlay-ipam',
			version: ours.version,
			role: 'ours',
			program: ours.path,
			name: 'ours',
			fill: ourStore,
			configuration: { type: 'mesos-overlay-ipam', prefix: 16, agentSubnet: '9.0.0.0/16' },
			refusal: `all ${CAPACITY} are held`,
		},
		{
			title: 'host-local',
			version: reference.version,
			role: 'reference',
			program: reference.path,
			name: 'reference',
			fill: () => hostLocalStore,
			configuration: {
				type: 'host-local',
				ranges: [[{ subnet: '9.0.0.0/17' }]],
				routes: [{ dst: '0.0.0.0/0' }],
			},
			refusal: 'no IP addresses available',
		},
	];
}

function planSteps(managers: readonly Manager[], stage: Stage, host: Host, runs: number): PlannedStep[] {
	const [container = ''] = host.containers;
	const holdings = shuffled(Array.from({ length: CAPACITY }, (_, index) => holdingOf(index)));
	const poolOf = (manager: Manager, size: number): Pool => {
		const directory = `${stage.directory}/${manager.name}-${size}`;
		manager.fill(container)(directory, NETWORK, holdings.slice(0, size));
		const ipam = { ...manager.configuration, dataDir: directory };
		const input = `${directory}.json`;
		writeFileSync(input, JSON.stringify({ cniVersion: '1.0.0', name: NETWORK, type: 'none', ipam }));
		return { manager, size, input, directory };
	};
	const step = ({ manager, input }: Pool, task: string | undefined, command: string): PlannedStep => ({
		namespace: host.namespace,
		pauseMs: randomPause(),
		calls: [cniCall(manager.program, command, container, input)],
		task,
		competitor: manager,
	});
	const refusal = (pool: Pool, task: string): PlannedStep => ({
		...step(pool, task, 'ADD'),
		refusal: pool.manager.refusal,
	});

	const pools = SIZES.flatMap((size) => managers.map((manager) => poolOf(manager, size)));
	const fullPools = managers.map((manager) => poolOf(manager, CAPACITY));
	return [
		...alternate(pools, runs, (pool) => [
			step(pool, `ADD ${withLeases(pool.size)}`, 'ADD'),
			step(pool, `DEL ${withLeases(pool.size)}`, 'DEL'),
		]),
		...alternate(fullPools, Math.ceil(runs / 6), (pool) => [
			{ ...step(pool, undefined, ''), calls: [forget(pool)] },
			refusal(pool, FIRST_REFUSAL),
			...Array.from({ length: REPEATED }, () => refusal(pool, REFUSAL)),
		]),
	];
}

/** The address number `index` of the half, and somebody who has it. */
function holdingOf(index: number): Holding {
	const value = index + 2;
	return { address: `9.0.${Math.floor(value / 256)}.${value % 256}`, containerId: `holder-${index}` };
}

/** Removes what the first look at our full store has left for the next one. */
function forget({ directory }: Pool): Call {
	return {
		program: '/bin/rm',
		parameters: ['-f', `${directory}/${NETWORK}/last.0`],
		environment: [],
		input: '/dev/null',
	};
}

function makeRows(managers: readonly Manager[], samples: Samples): Row[] {
	const pair = (size: number, measure: typeof WALL) =>
		sumOf(
			valuesOf(samples, `ADD ${withLeases(size)}`, measure),
			valuesOf(samples, `DEL ${withLeases(size)}`, measure),
		);
	const rowsOfSize = SIZES.flatMap((size) => [
		makeRow(managers, `ADD and DEL ${withLeases(size)}, wall`, 'ms', pair(size, WALL), TARGETS.get(size)),
		makeRow(managers, `ADD and DEL ${withLeases(size)}, CPU`, 'ms', pair(size, CPU)),
		...['ADD', 'DEL'].map((command) => {
			const task = `${command} ${withLeases(size)}`;
			return makeRow(managers, `${task}, wall`, 'ms', valuesOf(samples, task, WALL));
		}),
	]);
	const growth = SIZES.slice(1).map((size) => {
		const target: Target | undefined = size === 30_000 ? { of: 'median', bound: 'at most', value: 1.2 } : undefined;
		const values = quotientOf(pair(size, WALL), pair(0, WALL));
		return makeRow(managers, `ADD and DEL ${withLeases(size)}, to none`, '×', values, target);
	});
	const soon: Target = { of: 'median', bound: 'at most', value: 50 };
	return [
		...rowsOfSize,
		...growth,
		makeRow(managers, `${FIRST_REFUSAL}, wall`, 'ms', valuesOf(samples, FIRST_REFUSAL, WALL)),
		makeRow(managers, `${REFUSAL}, wall`, 'ms', valuesOf(samples, REFUSAL, WALL), soon),
		makeRow(managers, `${REFUSAL}, CPU`, 'ms', valuesOf(samples, REFUSAL, CPU)),
	];
}
