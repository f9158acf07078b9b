// The group `bridge`: containers are attached to a bridge and detached, beside the reference plugins bridge and host-local.

import { writeFileSync } from 'node:fs';
import { findExecutable } from '../build/setup/debian.ts';
import { cniCall, type Competitor } from './competitor.ts';
import type { Group } from './group.ts';
import type { Call } from './launcher.ts';
import { alternate, carryOut, type PlannedStep } from './plan.ts';
import { ourProgram, ourSecondProgram, referenceProgram } from './programs.ts';
import { randomPause } from './random.ts';
import { CPU, makeRow, PEAK, ratioAtMost, type Row, valuesOf, WALL } from './rows.ts';
import { type Stage, withStage } from './stage.ts';

interface Attacher extends Competitor {
	readonly program: string;
	/** The name of its network and of its bridge. */
	readonly name: string;
	/** Its part of a network configuration, for the /24 in which it has 125 addresses to give. */
	readonly configuration: (subnet: string, dataDirectory: string) => Record<string, unknown>;
}

/** How many containers come and go at once. */
const CROWD = 64;
const PAUSE_BEFORE_CROWD_MS = 100;

type Task = 'VERSION' | 'first ADD' | 'ADD' | 'DEL' | `${typeof CROWD} ADDs at once` | `${typeof CROWD} DELs at once`;

const ROWS: readonly (readonly [task: Task, measure: typeof WALL, atMost?: number])[] = [
	['ADD', WALL, 0.85],
	['ADD', CPU, 0.9],
	['DEL', WALL, 1],
	['DEL', CPU],
	[`${CROWD} ADDs at once`, WALL, 0.8],
	[`${CROWD} ADDs at once`, CPU],
	[`${CROWD} DELs at once`, WALL],
	[`${CROWD} DELs at once`, CPU],
	['first ADD', WALL],
	['first ADD', CPU],
	['VERSION', WALL],
	['VERSION', CPU],
	['ADD', PEAK],
];

export const BRIDGE: Group = {
	name: 'bridge',
	title: 'A container on a bridge',
	async measure({ runs, directory }) {
		const competitors = await findCompetitors();
		return withStage(directory, (stage) => {
			const samples = carryOut(planSteps(competitors, stage, runs), `${stage.directory}/plan.jsonl`);
			const rows: Row[] = ROWS.map(([task, measure, atMost]) => {
				const target = atMost === undefined ? undefined : ratioAtMost(atMost);
				const title = `${task}, ${measure.title}`;
				return makeRow(competitors, title, measure.unit, valuesOf(samples, task, measure), target);
			});
			return { competitors, rows };
		});
	},
};

/** Our default edition, the reference, and our second edition if it has been built. */
async function findCompetitors(): Promise<readonly Attacher[]> {
	const first = ourProgram('mesos-overlay');
	const ours: Attacher = {
		title: 'mesos-overlay',
		version: first.version,
		role: 'ours',
		program: first.path,
		name: 'ours',
		configuration: (subnet, dataDir) => ({
			type: 'mesos-overlay',
			ipam: { type: 'mesos-overlay-ipam', prefix: 24, agentSubnet: `${subnet}.0/24`, dataDir },
		}),
	};
	const bridge = await referenceProgram('bridge');
	const reference: Attacher = {
		title: 'bridge + host-local',
		version: bridge.version,
		role: 'reference',
		program: bridge.path,
		name: 'reference',
		configuration: (subnet, dataDir) => ({
			type: 'bridge',
			ipam: {
				type: 'host-local',
				ranges: [[{ subnet: `${subnet}.0/25`, gateway: `${subnet}.1` }]],
				routes: [{ dst: '0.0.0.0/0' }],
				dataDir,
			},
		}),
	};
	const second = ourSecondProgram();
	if (second === undefined) return [ours, reference];
	const { path, version } = second;
	return [
		ours,
		reference,
		{ ...ours, title: 'mesos-overlay-pkg', version, role: 'other', program: path, name: 'second' },
	];
}

/** All steps, with so many rounds for a single ADD; tasks that take longer have fewer. */
function planSteps(competitors: readonly Attacher[], stage: Stage, runs: number): PlannedStep[] {
	const { namespace, containers } = stage.addHost(CROWD + competitors.length);
	const crowd = containers.slice(0, CROWD);
	const [first = ''] = crowd;
	const step = (competitor: Attacher, task: Task | undefined, calls: readonly Call[]): PlannedStep => ({
		namespace,
		pauseMs: calls.length > 1 ? PAUSE_BEFORE_CROWD_MS : randomPause(),
		calls,
		task,
		competitor,
	});
	const inputs = new Map(competitors.map((one, index) => [one, writeConfiguration(one, index, stage.directory)]));
	const call = (competitor: Attacher, command: string, container = first): Call =>
		cniCall(competitor.program, command, container, inputs.get(competitor) ?? '');
	const callsOfCrowd = (competitor: Attacher, command: string): Call[] =>
		crowd.map((container) => call(competitor, command, container));

	return [
		...alternate(competitors, runs, (one) => [step(one, 'VERSION', [call(one, 'VERSION')])]),
		...alternate(competitors, Math.ceil(runs / 3), (one) => [
			step(one, 'first ADD', [call(one, 'ADD')]),
			step(one, undefined, [call(one, 'DEL')]),
			step(one, undefined, [removeBridge(one)]),
		]),
		// A container that stays, so that the bridge is there from now on.
		...competitors.map((one, index) => step(one, undefined, [call(one, 'ADD', containers[CROWD + index])])),
		...alternate(competitors, runs, (one) => [
			step(one, 'ADD', [call(one, 'ADD')]),
			step(one, 'DEL', [call(one, 'DEL')]),
		]),
		...alternate(competitors, Math.ceil(runs / 6), (one) => [
			step(one, `${CROWD} ADDs at once`, callsOfCrowd(one, 'ADD')),
			step(one, `${CROWD} DELs at once`, callsOfCrowd(one, 'DEL')),
		]),
	];
}

/** Returns the path of the file. Competitors that share the stage have different subnets. */
function writeConfiguration({ name, configuration }: Attacher, index: number, directory: string): string {
	const path = `${directory}/${name}.json`;
	const text = JSON.stringify({
		cniVersion: '1.0.0',
		name,
		bridge: name,
		isGateway: true,
		hairpinMode: true,
		mtu: 1420,
		...configuration(`9.0.${index + 1}`, `${directory}/${name}-leases`),
	});
	writeFileSync(path, text);
	return path;
}

function removeBridge({ name }: Attacher): Call {
	const program = findExecutable('ip') ?? 'ip';
	return { program, parameters: ['link', 'delete', name], environment: [], input: '/dev/null' };
}
