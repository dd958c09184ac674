<?php
// The habits of PDO; at PostgreSQL and through the proxy it must print the same. One line of JSON for each step: its
// name, and what came back.

function report(string $step, mixed $value): void
{
    echo json_encode(['step' => $step, 'value' => $value]), "\n";
}

function connected(array $options = []): PDO
{
    // The rest comes from the environment, as libpq reads it.
    $pdo = new PDO('pgsql:', null, null, $options);
    $pdo->setAttribute(PDO::ATTR_ERRMODE, PDO::ERRMODE_EXCEPTION);
    return $pdo;
}

function stateOf(callable $work): string
{
    try {
        $work();
        return 'no error';
    } catch (PDOException $error) {
        return $error->errorInfo[0];
    }
}

/** Each statement is prepared at the server under a name, and deallocated with its object. */
function prepared(PDO $pdo): array
{
    $heard = [];
    for ($n = 0; $n < 8; $n++) {
        $statement = $pdo->prepare('/* deallocate all */ select :n::int as prepared_at');
        $statement->execute(['n' => $n]);
        // The result of opaque code is masked whole.
        $function = $pdo->prepare('select shop.thrice(:n::int)');
        $function->execute(['n' => $n]);
        $heard[] = [$statement->fetchColumn(), $function->rowCount()];
        $statement = null;
    }
    return $heard;
}

function keptPrepared(PDO $pdo): array
{
    $mood = $pdo->prepare('select ?::shop.mood');
    $plain = $pdo->prepare('select count(*) from shop.orders where id < ?');
    $heard = [];
    for ($n = 0; $n < 4; $n++) {
        $mood->execute([$n % 2 ? 'sad' : 'happy']);
        $plain->execute([$n]);
        $heard[] = [$mood->fetchColumn(), $plain->fetchColumn()];
    }
    return $heard;
}

function emulated(PDO $pdo): array
{
    $pdo->setAttribute(PDO::ATTR_EMULATE_PREPARES, true);
    $statement = $pdo->prepare("select ?, ?::text, 'it''s' -- a comment?");
    $statement->execute([7, "o'clock \\ é"]);
    return $statement->fetch(PDO::FETCH_NUM);
}

function notPrepared(PDO $pdo): array
{
    $statement = $pdo->prepare('select ?::int * 2', [PDO::PGSQL_ATTR_DISABLE_PREPARES => true]);
    $heard = [];
    foreach ([1, 2, 3] as $n) {
        $statement->execute([$n]);
        $heard[] = $statement->fetchColumn();
    }
    return $heard;
}

function scrolled(PDO $pdo): array
{
    $pdo->beginTransaction();
    $statement = $pdo->prepare('select id * 2, upper(status) from shop.orders order by id', [PDO::ATTR_CURSOR => PDO::CURSOR_SCROLL]);
    $statement->execute();
    $heard = [
        $statement->fetch(PDO::FETCH_NUM),
        $statement->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_ABS, 20),
        $statement->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_PRIOR),
        $statement->fetch(PDO::FETCH_NUM, PDO::FETCH_ORI_LAST),
    ];
    $statement = null;
    $pdo->rollBack();
    return $heard;
}

function copies(PDO $pdo): array
{
    $pdo->beginTransaction();
    $rows = array_map(fn ($n) => "$n\tcopied\n", range(700_000, 700_999));
    $heard = [$pdo->pgsqlCopyFromArray('shop.spoken', $rows)];
    $heard[] = count($pdo->pgsqlCopyToArray('shop.spoken'));
    $pdo->rollBack();
    return $heard;
}

function notifications(PDO $pdo): array
{
    $pdo->exec('listen habits');
    $pdo->exec("notify habits, '{\"id\":7}'");
    $heard = $pdo->pgsqlGetNotify(PDO::FETCH_ASSOC, 20_000);
    return [$heard['message'], $heard['payload']];
}

/** The driver asks the catalog for the names of types and tables. */
function meta(PDO $pdo): array
{
    $statement = $pdo->query('select id, note, null::shop.mood as mood from shop.spoken');
    $metas = array_map(fn ($n) => $statement->getColumnMeta($n), [0, 1, 2]);
    return array_map(fn ($meta) => [$meta['name'], $meta['native_type'], $meta['table'] ?? null], $metas);
}

function failed(PDO $pdo): array
{
    $pdo->beginTransaction();
    $heard = [stateOf(fn () => $pdo->query('select 1/0')), stateOf(fn () => $pdo->query('select 1'))];
    $pdo->rollBack();
    return [...$heard, $pdo->query('select 1')->fetchColumn(), stateOf(fn () => $pdo->lastInsertId())];
}

function largeInsert(PDO $pdo): int
{
    $pdo->beginTransaction();
    $rows = array_map(fn ($n) => "($n, '" . str_repeat('p', 100) . "')", range(800_000, 807_999));
    $heard = $pdo->exec('insert into shop.spoken values ' . implode(',', $rows));
    $pdo->rollBack();
    return $heard;
}

/** A connection that PHP keeps, and what frameworks send when they get it again. */
function persistent(): array
{
    $heard = [];
    for ($n = 0; $n < 3; $n++) {
        $pdo = connected([PDO::ATTR_PERSISTENT => true]);
        $pdo->exec("set names 'UTF8'");
        $pdo->exec("set session characteristics as transaction isolation level read committed");
        $heard[] = $pdo->query('select 5')->fetchColumn();
        $pdo->exec('discard all');
        $pdo = null;
    }
    return $heard;
}

foreach (['prepared', 'keptPrepared', 'emulated', 'notPrepared', 'scrolled', 'copies', 'notifications', 'meta', 'failed', 'largeInsert', 'persistent'] as $step) {
    try {
        report($step, $step(connected()));
    } catch (Throwable $error) {
        report($step, $error->getMessage());
    }
}
