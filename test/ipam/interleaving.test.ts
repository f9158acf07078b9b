// Random interleavings of several processes, system call by system call, each of which may be killed in front of any call.
import test from 'ava';
import fc from 'fast-check';
import { checkAfterwards, type Command, containers, createWorld, MINUTE } from './memory-host.ts';
import { earlierBoot, thisBoot } from './stores.ts';

const container = fc.constantFrom(...containers);
// The first has one address, the second two.
const families = fc.constantFrom<readonly (0 | 1)[]>([0], [0], [1], [0, 1]);
const keys = { quarantined: fc.boolean(), sticky: fc.boolean() };
const add: fc.Arbitrary<Command> = fc.record({ verb: fc.constant('ADD'), container, families, ...keys });
const anyCommand: fc.Arbitrary<Command> = fc.oneof(
	{ weight: 6, arbitrary: add },
	{ weight: 4, arbitrary: fc.record({ verb: fc.constant('DEL'), container, holds: fc.boolean() }) },
	{ weight: 1, arbitrary: fc.record({ verb: fc.constant('GC'), valid: fc.subarray([...containers]) }) },
	{ weight: 1, arbitrary: fc.record({ verb: fc.constant('STATUS') }) },
);
const move = fc.record({
	who: fc.nat({ max: 11 }),
	what: fc.oneof(
		{ weight: 16, arbitrary: fc.constant('run') },
		{ weight: 2, arbitrary: fc.constant('kill') },
		{ weight: 1, arbitrary: fc.constantFrom('lose its namespace', 'lose its interface') },
		{ weight: 1, arbitrary: fc.constant('let time pass') },
	),
	// A few, or all that are left: as a whole between two calls of another.
	calls: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constant(1000)),
});

/** What became of containers that have leases already. */
type Fate = 'lives' | 'died' | 'died before the boot';

function scenes(command: fc.Arbitrary<Command>, minLength: number, ...fates: readonly Fate[]) {
	const past = fc.record({ container, families, ...keys, fate: fc.constantFrom(...fates) });
	return fc.record({
		pasts: fc.uniqueArray(past, {
			selector: (each) => each.container,
			minLength,
			maxLength: 3,
		}),
		commands: fc.array(command, { minLength: 2, maxLength: 5 }),
		moves: fc.array(move, { maxLength: 60 }),
	});
}

type Scene = ReturnType<typeof scenes> extends fc.Arbitrary<infer T> ? T : never;
type World = ReturnType<typeof createWorld>;

function prepare({ pasts, commands }: Scene): World {
	const world = createWorld();
	const isOld = (fate: Fate): boolean => fate === 'died before the boot';
	for (const { fate, ...each } of pasts.toSorted(
		(one, other) => Number(isOld(other.fate)) - Number(isOld(one.fate)),
	)) {
		world.alone({ verb: 'ADD', ...each }, isOld(fate) ? earlierBoot : thisBoot);
		if (fate !== 'lives') world.lose(each.container, 0, 1);
		// The same container comes back after the boot.
		if (isOld(fate)) world.live(each.container);
	}
	world.pass(MINUTE);
	for (const command of commands) world.spawn(command);
	return world;
}

function play(world: World, { moves }: Scene): void {
	for (const { who, what, calls } of moves) {
		const left = world.left();
		const actor = left[who % left.length];
		if (actor === undefined) return;
		if (what === 'kill') world.end(actor);
		if (what === 'lose its namespace') world.lose(actor.container, 0);
		if (what === 'lose its interface') world.lose(actor.container, 1);
		if (what === 'let time pass') world.pass(MINUTE / 2);
		if (what !== 'run') continue;
		for (let call = 0; call < calls && actor.state !== 'ended' && !world.isBlocked(actor); call++) {
			world.advance(actor);
		}
	}
}

/** Lets the rest run in turn; who waits for his own attachment waits for somebody who is on his way. */
function finish(world: World): void {
	for (let calls = 0; world.left().length > 0; calls++) {
		const ready = world.left().filter((actor) => !world.isBlocked(actor));
		const actor = ready[calls % ready.length];
		if (actor === undefined) throw new Error('each waits for another');
		if (calls > 5000) throw new Error('they go on for ever');
		world.advance(actor);
	}
}

for (const [title, scene] of [
	['whatever processes do', scenes(anyCommand, 0, 'lives', 'died', 'died before the boot')],
	['whatever ADDs do after a boot', scenes(add, 1, 'died before the boot')],
	['whatever ADDs do when containers have died', scenes(add, 1, 'lives', 'died')],
] as const) {
	test(`${title}, and wherever they are killed, the promises of the store are kept`, (t) => {
		const property = fc.property(scene, (each) => {
			const world = prepare(each);
			play(world, each);
			finish(world);
			checkAfterwards(world);
		});
		const numRuns = Number(process.env['INTERLEAVINGS'] ?? 300);
		t.notThrows(() => fc.assert(property, { numRuns, includeErrorInReport: true }));
	});
}
