// The habits of tokio-postgres; at PostgreSQL and through the proxy it must print the same. One line of JSON for each
// step: its name, and what came back.

use std::env::var;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt, TryStreamExt};
use native_tls::{Certificate, TlsConnector};
use postgres_native_tls::MakeTlsConnector;
use serde_json::{json, Value};
use tokio::sync::mpsc::{unbounded_channel, UnboundedReceiver};
use tokio_postgres::types::Kind;
use tokio_postgres::error::{DbError, Error};
use tokio_postgres::{AsyncMessage, Client, Config};

type Answer = Result<Value, Box<dyn std::error::Error>>;

struct Connected {
    client: Client,
    heard: UnboundedReceiver<AsyncMessage>,
    /// The session, as the connection's parameter status says it.
    session: String,
}

fn tls() -> MakeTlsConnector {
    let root = std::fs::read(var("PGSSLROOTCERT").expect("PGSSLROOTCERT")).expect("the CA");
    let root = Certificate::from_pem(&root).expect("a certificate");
    MakeTlsConnector::new(TlsConnector::builder().add_root_certificate(root).build().expect("TLS"))
}

async fn connect(database: &str) -> Result<Connected, Error> {
    let (client, mut connection) = Config::new()
        .host(var("PGHOST").unwrap_or_default())
        .port(var("PGPORT").unwrap_or_default().parse().unwrap_or(0))
        .user(var("PGUSER").unwrap_or_default())
        .password(var("PGPASSWORD").unwrap_or_default())
        .dbname(database)
        .ssl_mode(tokio_postgres::config::SslMode::Require)
        .connect(tls())
        .await?;
    let session = connection.parameter("countersign.session_id").unwrap_or("").to_owned();
    let (tell, heard) = unbounded_channel();
    tokio::spawn(async move {
        while let Some(Ok(message)) = std::future::poll_fn(|context| connection.poll_message(context)).await {
            if tell.send(message).is_err() {
                // Without a listener the requests of the client go on.
            }
        }
    });
    Ok(Connected { client, heard, session })
}

/// A COPY by the extended protocol, as this driver always does it.
async fn copy_in(connected: &mut Connected) -> Answer {
    let transaction = connected.client.transaction().await?;
    let mut sink = Box::pin(transaction.copy_in::<_, Bytes>("/* rows */ copy shop.spoken from stdin").await?);
    for n in 0..3_000 {
        let mut row = BytesMut::new();
        row.extend_from_slice(format!("{}\tcopied {}\n", 900_000 + n, "x".repeat(100)).as_bytes());
        sink.send(row.freeze()).await?;
    }
    let rows = sink.as_mut().finish().await?;
    drop(sink);
    let one = transaction.query_one("select count(*) from shop.spoken where id >= $1", &[&900_000]).await?;
    let counted: i64 = one.get(0);
    transaction.rollback().await?;
    Ok(json!([rows, counted]))
}

async fn copy_in_given_up(connected: &mut Connected) -> Answer {
    let mut sink = Box::pin(connected.client.copy_in::<_, Bytes>("copy shop.spoken from stdin").await?);
    sink.send(Bytes::from_static(b"950000\tnever\n")).await?;
    drop(sink);
    let one = connected.client.query_one("select count(*) from shop.spoken where id = 950000", &[]).await?;
    Ok(json!(one.get::<_, i64>(0)))
}

async fn copy_in_wrong(connected: &mut Connected) -> Answer {
    let mut sink = Box::pin(connected.client.copy_in::<_, Bytes>("copy shop.spoken from stdin").await?);
    sink.send(Bytes::from_static(b"no number\twrong\n")).await?;
    let wrong = state_of(sink.as_mut().finish().await);
    drop(sink);
    let one = connected.client.query_one("select 7", &[]).await?;
    Ok(json!([wrong, one.get::<_, i32>(0)]))
}

async fn copy_out(connected: &mut Connected) -> Answer {
    let stream = connected.client.copy_out("copy (select id from shop.orders order by id) to stdout").await?;
    let parts: Vec<Bytes> = stream.try_collect().await?;
    Ok(json!([parts.len(), parts.concat().len()]))
}

/// Each value of a type that is not built in makes it ask the catalog about that type.
async fn types(connected: &mut Connected) -> Answer {
    let mut heard = Vec::new();
    for _ in 0..3 {
        let statement = connected.client.prepare("select $1::shop.mood, null::shop.spoken, array['sad'::shop.mood]").await?;
        let kinds: Vec<String> = statement
            .columns()
            .iter()
            .map(|column| match column.type_().kind() {
                Kind::Enum(variants) => format!("{} of {variants:?}", column.type_().name()),
                Kind::Composite(fields) => format!("{} of {} fields", column.type_().name(), fields.len()),
                Kind::Array(element) => format!("array of {}", element.name()),
                other => format!("{other:?}"),
            })
            .collect();
        heard.push(json!(kinds));
    }
    Ok(json!(heard))
}

async fn pipelined(connected: &mut Connected) -> Answer {
    let client = &connected.client;
    let statement = client.prepare("select $1::int + 1").await?;
    let numbers: Vec<i32> = (0..40).collect();
    let rows = futures_util::future::try_join_all(numbers.iter().map(|n| {
        let statement = &statement;
        async move { client.query_one(statement, &[n]).await }
    }))
    .await?;
    Ok(json!(rows.iter().map(|row| row.get::<_, i32>(0)).collect::<Vec<_>>()))
}

async fn portal(connected: &mut Connected) -> Answer {
    let transaction = connected.client.transaction().await?;
    let portal = transaction.bind("select id * 2, upper(status) from shop.orders order by id", &[]).await?;
    let mut heard = Vec::new();
    for rows in [transaction.query_portal(&portal, 2).await?, transaction.query_portal(&portal, 2).await?] {
        heard.extend(rows.iter().map(|row| json!([row.get::<_, i32>(0), row.get::<_, String>(1)])));
    }
    let failed = state_of(transaction.batch_execute("select 1/0").await);
    let resumed = state_of(transaction.query_portal(&portal, 2).await);
    transaction.rollback().await?;
    Ok(json!([heard, failed, resumed]))
}

async fn functions_and_comments(connected: &mut Connected) -> Answer {
    let function = connected.client.prepare("/* deallocate all */ select shop.thrice($1) as prepared_at").await?;
    let mut heard = Vec::new();
    for n in 0..6 {
        // The result of opaque code is masked whole.
        heard.push(connected.client.query(&function, &[&n]).await?.len() as i32);
    }
    let streamed = connected.client.query_raw("select n from generate_series(1, $1) s(n)", [2_000i32]).await?;
    heard.push(Box::pin(streamed).count().await as i32);
    Ok(json!(heard))
}

async fn notifications(connected: &mut Connected) -> Answer {
    connected.client.batch_execute("listen habits; notify habits, '{\"id\":7}'").await?;
    let soon = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            match connected.heard.recv().await {
                Some(AsyncMessage::Notification(one)) => return json!([one.channel(), one.payload()]),
                Some(_) => continue,
                None => return json!("closed"),
            }
        }
    });
    Ok(soon.await?)
}

async fn cancelled(connected: &mut Connected) -> Answer {
    let token = connected.client.cancel_token();
    let long = connected.client.batch_execute("select count(*) from generate_series(1, 100000) a, generate_series(1, 1000000) b");
    let cancel = async {
        loop {
            // It may come before the statement began.
            token.cancel_query(tls()).await.ok();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let ended = tokio::select! { ended = long => state_of(ended), () = cancel => String::new() };
    Ok(json!(ended))
}

/// What a program is told of a refusal and of a hold.
async fn contract(database: &str, sql: &str) -> Value {
    let mut connected = match connect(database).await {
        Ok(connected) => connected,
        Err(error) => return json!(error.to_string()),
    };
    let Err(error) = connected.client.execute(sql, &[]).await else {
        return json!("no error");
    };
    let mut notices = Vec::new();
    while let Ok(message) = connected.heard.try_recv() {
        if let AsyncMessage::Notice(notice) = message {
            notices.push(fields(&notice));
        }
    }
    json!({ "session": connected.session, "notices": notices, "error": error.as_db_error().map(fields) })
}

fn fields(said: &DbError) -> Value {
    json!({
        "sqlstate": said.code().code(),
        "schema": said.schema(),
        "code": said.constraint(),
        "request": said.table(),
        "status": said.column(),
        "deadline": said.datatype(),
        "session": said.routine(),
    })
}

/// The SQLSTATE of an error of the server, or its text.
fn state_of<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => "no error".to_owned(),
        Err(error) => error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned()),
    }
}

fn report(step: &str, value: Value) {
    println!("{}", json!({ "step": step, "value": value }));
}

macro_rules! steps {
    ($database:expr, $($step:ident),+) => {
        $(
            let answer = match connect($database).await {
                Ok(mut connected) => $step(&mut connected).await,
                Err(error) => Err(error.into()),
            };
            report(stringify!($step), answer.unwrap_or_else(|error| json!(error.to_string())));
        )+
    };
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let database = var("PGDATABASE").unwrap_or_default();
    if let Ok(held) = var("HELD_DATABASE") {
        report("refused", contract(&database, "grant shop_dev_owner to public").await);
        report("denied", contract(&held, "update shop.orders set note = 'tokio' where id = 44").await);
        return;
    }
    steps!(
        &database, copy_in, copy_in_given_up, copy_in_wrong, copy_out, types, pipelined, portal, functions_and_comments,
        notifications, cancelled
    );
}
