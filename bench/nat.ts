// The group `nat`: containers with a host port and masquerading, beside the chain of reference plugins, on hosts with no
// other port mappings and with 2,000.

import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { systemPath } from '../build/project.ts';
import { BuildError } from '../build/run.ts';
import { cniCall } from './competitor.ts';
import type { Group } from './group.ts';
import { LAUNCHER } from './launcher.ts';
import { findMappers, type Mapper, type PortMapping } from './mappers.ts';
import { alternate, carryOut, type PlannedStep, type Samples } from './plan.ts';
import { randomPause } from './random.ts';
import { CPU, makeRow, quotientOf, ratioAtMost, type Row, type Target, type Values, valuesOf, WALL } from './rows.ts';
import { ip, nameOf, type Stage, withStage } from './stage.ts';

/** A host of one of them. Each has its own, since a packet meets all rules of its host. */
interface Scene {
	readonly mapper: Mapper;
	/** What comes behind the names of its tasks. */
	readonly label: string;
	readonly directory: string;
	/** Network namespaces, by their paths. */
	readonly host: string;
	/** A neighbour of the host, which is in no network of ours. */
	readonly outside: string;
	/** The container that comes and goes, with one mapping. */
	readonly guest: string;
	/** A container that stays, without mappings, so that the bridge is there. */
	readonly resident: string;
	/** Containers that stay, with the other mappings. */
	readonly crowd: readonly string[];
}

/** 2,000 mappings: a bridge has no room for 2,000 containers. */
const CROWD = 100;
const MAPPINGS_EACH = 20;

const ALONE = '';
const CROWDED = `, ${(CROWD * MAPPINGS_EACH).toLocaleString('en')} mappings present`;

const HOST_ADDRESS = '192.0.2.1';
const OUTSIDE_ADDRESS = '192.0.2.2';
const HOST_PORT = 8000;
const CONTAINER_PORT = 80;
const FIRST_PORT_OF_CROWD = 10_000;

const CONNECTIONS = 2000;

export const NAT: Group = {
	name: 'nat',
	title: 'A container with a host port and masquerading',
	async measure({ runs, directory }) {
		const mappers = await findMappers();
		return withStage(directory, (stage) => {
			const scenes = mappers.flatMap((mapper) => [makeScene(mapper, stage, 0), makeScene(mapper, stage, CROWD)]);
			const servers = scenes.map(({ guest }) => startServer(guest));
			try {
				const samples = carryOut(planSteps(scenes, runs), `${stage.directory}/plan.jsonl`);
				return { competitors: mappers, rows: makeRows(mappers, samples) };
			} finally {
				for (const server of servers) server.kill();
			}
		});
	},
};

/** A host beside a neighbour. Throws a BuildError when it cannot be made. */
function makeScene(mapper: Mapper, stage: Stage, crowdSize: number): Scene {
	const { namespace: host, containers } = stage.addHost(3 + crowdSize);
	const [outside = '', guest = '', resident = '', ...crowd] = containers;
	const directory = `${stage.directory}/${mapper.name}-${crowdSize}`;
	mkdirSync(directory);
	const failure =
		ip([`link add outside netns ${nameOf(host)} type veth peer name host netns ${nameOf(outside)}`]) ||
		ip(
			[`address add ${HOST_ADDRESS}/30 dev outside`, 'link set outside up', 'link set lo up'],
			['-netns', nameOf(host)],
		) ||
		ip([`address add ${OUTSIDE_ADDRESS}/30 dev host`, 'link set host up'], ['-netns', nameOf(outside)]);
	if (failure !== '') throw new BuildError(`connecting a host with its neighbour: ${failure}`);
	return { mapper, label: crowdSize === 0 ? ALONE : CROWDED, directory, host, outside, guest, resident, crowd };
}

/** What answers in a container. */
function startServer(container: string): { kill: () => void } {
	return spawn('nsenter', [`--net=${container}`, LAUNCHER, 'serve', String(CONTAINER_PORT)], {
		env: { PATH: systemPath() },
		stdio: 'ignore',
	});
}

function planSteps(scenes: readonly Scene[], runs: number): PlannedStep[] {
	const guestMapping = mappingTo(HOST_PORT, CONTAINER_PORT);
	return [
		...scenes.flatMap((scene) => [
			step(scene, undefined, 'ADD', scene.resident, []),
			...scene.crowd.map((container, index) => step(scene, undefined, 'ADD', container, mappingsOfCrowd(index))),
		]),
		...alternate(scenes, Math.ceil(runs / 2), (scene) => [
			step(scene, 'ADD', 'ADD', scene.guest, [guestMapping]),
			step(scene, 'DEL', 'DEL', scene.guest, [guestMapping]),
		]),
		...scenes.map((scene) => step(scene, undefined, 'ADD', scene.guest, [guestMapping])),
		...alternate(scenes, Math.ceil(runs / 3), (scene) => [connections(scene)]),
	];
}

function mappingTo(hostPort: number, containerPort: number): PortMapping {
	return { hostPort, containerPort, protocol: 'tcp' };
}

/** Those of container number `index`. */
function mappingsOfCrowd(index: number): PortMapping[] {
	return Array.from({ length: MAPPINGS_EACH }, (_, port) =>
		mappingTo(FIRST_PORT_OF_CROWD + index * MAPPINGS_EACH + port, CONTAINER_PORT + port),
	);
}

/** An ADD or DEL of all plugins, as a runtime calls them. Mesos, which has one plugin only, passes no results on. */
function step(
	{ mapper, host, label, directory }: Scene,
	task: string | undefined,
	command: 'ADD' | 'DEL',
	container: string,
	portMappings: readonly PortMapping[],
): PlannedStep {
	const calls = mapper.plugins.map(({ program, configuration }, index) => {
		const input = `${directory}/${nameOf(container)}-${index}.json`;
		const network = { cniVersion: '1.0.0', name: 'bench', ...configuration({ portMappings, directory }) };
		writeFileSync(input, JSON.stringify(network));
		return cniCall(program, command, container, input);
	});
	return {
		namespace: host,
		pauseMs: task === undefined ? 0 : randomPause(),
		calls: command === 'ADD' ? calls : calls.toReversed(),
		...(calls.length > 1 && { chain: { attachment: container, begins: command === 'ADD' } }),
		task: task && task + label,
		competitor: mapper,
	};
}

/** Connections from outside to the container, through its host port. */
function connections({ mapper, outside, label }: Scene): PlannedStep {
	const parameters = ['connect', `${HOST_ADDRESS}:${HOST_PORT}`, String(CONNECTIONS)];
	return {
		namespace: outside,
		pauseMs: randomPause(),
		calls: [{ program: LAUNCHER, parameters, environment: [], input: '/dev/null' }],
		task: `connections${label}`,
		competitor: mapper,
	};
}

function makeRows(mappers: readonly Mapper[], samples: Samples): Row[] {
	const fewer: Target = { of: 'median', bound: 'at least', value: 0.95 };
	const growth: Target = { of: 'median', bound: 'at most', value: 1.2 };
	const wall = (task: string, label: string = ALONE): Values => valuesOf(samples, task + label, WALL);
	const rate = (label: string): Values => {
		const milliseconds = wall('connections', label);
		return (mapper) => milliseconds(mapper).map((value) => (CONNECTIONS / value) * 1000);
	};
	const row = (title: string, unit: Row['unit'], values: Values, target?: Target): Row =>
		makeRow(mappers, title, unit, values, target);
	return [
		...['ADD', 'DEL'].flatMap((task) => [
			row(`${task}, wall`, 'ms', wall(task), ratioAtMost(0.2)),
			row(`${task}, CPU`, 'ms', valuesOf(samples, task, CPU)),
			row(`${task}${CROWDED}, wall`, 'ms', wall(task, CROWDED)),
			row(`${task}${CROWDED}, to none`, '×', quotientOf(wall(task, CROWDED), wall(task)), growth),
		]),
		row('new connections', '/s', rate(ALONE)),
		row(`new connections${CROWDED}`, '/s', rate(CROWDED)),
		row(`new connections${CROWDED}, to none`, '×', quotientOf(rate(CROWDED), rate(ALONE)), fewer),
	];
}
