// A session of the JDBC driver of PostgreSQL with the proxy. Prints one line of JSON for each step: its name, and what came back.

import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.StringReader;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;
import org.postgresql.jdbc.PgResultSet;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

public class Session {
  interface Step {
    void run(Connection connection) throws Exception;
  }

  public static void main(String[] args) throws Exception {
    Map<String, Step> steps = new LinkedHashMap<>();
    steps.put("named after five runs", Session::namedAfterFiveRuns);
    steps.put("values", Session::values);
    steps.put("batch", Session::batch);
    steps.put("fetch size", Session::fetchSize);
    steps.put("copy", Session::copy);
    steps.put("metadata", Session::metadata);
    steps.put("cancel", Session::cancel);
    steps.put("transactions", Session::transactions);
    steps.put("several results", Session::severalResults);
    steps.put("settings", Session::settings);
    steps.put("promises", Session::promises);
    for (Map.Entry<String, Step> step : steps.entrySet()) {
      try (Connection connection = connect("")) {
        step.getValue().run(connection);
      } catch (Exception error) {
        report(step.getKey() + " failed", error.toString());
      }
    }
    for (String mode : List.of("simple", "extendedForPrepared", "extendedCacheEverything")) inMode(mode);
    try (Connection connection = connect("&reWriteBatchedInserts=true")) {
      report("batch in one statement", inserted(connection, 13_000));
    } catch (Exception error) {
      report("batch in one statement", error.toString());
    }
    try (Connection connection = connect("&autosave=always")) {
      autosave(connection);
    } catch (Exception error) {
      report("autosave", error.toString());
    }
    try {
      held();
    } catch (Exception error) {
      report("held failed", error.toString());
    }
  }

  static Connection connect(String options) throws SQLException {
    return connect(System.getenv("PGDATABASE"), options);
  }

  static Connection connect(String database, String options) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", System.getenv("PGUSER"));
    properties.setProperty("password", System.getenv("PGPASSWORD"));
    properties.setProperty("sslmode", "verify-full");
    properties.setProperty("sslrootcert", System.getenv("PGSSLROOTCERT"));
    String server = System.getenv("PGHOST") + ":" + System.getenv("PGPORT");
    return DriverManager.getConnection("jdbc:postgresql://" + server + "/" + database + "?" + options, properties);
  }

  static void namedAfterFiveRuns(Connection connection) throws SQLException {
    List<Object> heard = new ArrayList<>();
    String sql = "select id + ? from shop.products where id = ?";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int round = 0; round < 12; round++) {
        statement.setInt(1, round);
        statement.setInt(2, 7);
        heard.add(one(statement.executeQuery()));
      }
    }
    report("named after five runs", heard);
    report("its name", names(connection));
  }

  /** The names of the statements that the server keeps: S_1 and so on, once the driver found them worth it. */
  static Object names(Connection connection) throws SQLException {
    return one(
        connection
            .createStatement()
            .executeQuery("select count(*)::int from pg_prepared_statements where statement like 'select id + %'"));
  }

  static void values(Connection connection) throws SQLException {
    UUID uuid = new UUID(1, 2);
    Timestamp at = Timestamp.valueOf("2026-02-03 04:05:06.789");
    String text = "ä € 漢 😀 it's ?; --";
    String sql =
        "select ?::text, ?::int, ?::bigint, ?::boolean, ?::timestamp, ?::bytea, ?::uuid, ?::int[], ?::numeric, ?::float8, ?::text";
    for (int round = 0; round < 7; round++) {
      try (PreparedStatement statement = connection.prepareStatement(sql)) {
        statement.setString(1, text);
        statement.setInt(2, Integer.MIN_VALUE);
        statement.setLong(3, Long.MAX_VALUE);
        statement.setBoolean(4, true);
        statement.setTimestamp(5, at);
        statement.setBytes(6, new byte[] {0, -1});
        statement.setObject(7, uuid);
        statement.setArray(8, connection.createArrayOf("int4", new Object[] {1, null, 3}));
        statement.setBigDecimal(9, new java.math.BigDecimal("12345.6789"));
        statement.setDouble(10, 0.1);
        statement.setString(11, null);
        ResultSet rows = statement.executeQuery();
        rows.next();
        boolean same =
            rows.getString(1).equals(text)
                && rows.getInt(2) == Integer.MIN_VALUE
                && rows.getLong(3) == Long.MAX_VALUE
                && rows.getBoolean(4)
                && rows.getTimestamp(5).equals(at)
                && Arrays.equals(rows.getBytes(6), new byte[] {0, -1})
                && rows.getObject(7).equals(uuid)
                && Arrays.equals((Object[]) rows.getArray(8).getArray(), new Object[] {1, null, 3})
                && rows.getBigDecimal(9).toString().equals("12345.6789")
                && rows.getDouble(10) == 0.1
                && rows.getString(11) == null;
        if (round == 0 || !same) report("values as text", same);
        if (round == 6) report("values as binary", same && isBinary(rows, 2));
      }
    }
  }

  static boolean isBinary(ResultSet rows, int column) {
    try {
      Method method = PgResultSet.class.getDeclaredMethod("isBinary", int.class);
      method.setAccessible(true);
      return (boolean) method.invoke(rows.unwrap(PgResultSet.class), column);
    } catch (ReflectiveOperationException | SQLException error) {
      throw new IllegalStateException(error);
    }
  }

  static void batch(Connection connection) throws SQLException {
    report("batch", inserted(connection, 12_000));
    connection.setAutoCommit(false);
    try (PreparedStatement statement = connection.prepareStatement("update shop.orders set note = 'batch' where id = ? / ?")) {
      for (int divisor : new int[] {1, 0, 1}) {
        statement.setInt(1, 71);
        statement.setInt(2, divisor);
        statement.addBatch();
      }
      statement.executeBatch();
    } catch (SQLException error) {
      report("batch with an error", error.getSQLState());
    }
    connection.rollback();
    connection.setAutoCommit(true);
  }

  static long inserted(Connection connection, int first) throws SQLException {
    String sql = "insert into shop.products (id, name, price_cents) values (?, ?, ?)";
    connection.setAutoCommit(false);
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int n = 0; n < 700; n++) {
        statement.setInt(1, first + n);
        statement.setString(2, "batch " + "x".repeat(100));
        statement.setInt(3, n);
        statement.addBatch();
      }
      statement.executeBatch();
    }
    connection.commit();
    connection.setAutoCommit(true);
    String count = "select count(*) from shop.products where id >= " + first + " and id < " + (first + 700);
    return connection.createStatement().executeQuery(count).next() ? number(connection, count) : -1;
  }

  static void fetchSize(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    String sql = "select id from shop.orders where id > ? order by id";
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setInt(1, 20);
      statement.setFetchSize(30);
      int heard = 0;
      ResultSet rows = statement.executeQuery();
      // Another statement runs between the pieces.
      while (rows.next()) if (++heard % 50 == 0) number(connection, "select 1");
      report("fetch size", heard);
    }
    connection.commit();
  }

  static void copy(Connection connection) throws Exception {
    CopyManager copies = connection.unwrap(PGConnection.class).getCopyAPI();
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    report("copy out", copies.copyOut("copy (select id from shop.products where id <= 40) to stdout", out));
    out.reset();
    copies.copyOut("copy (select id from shop.products where id <= 40) to stdout (format binary)", out);
    // A header of 19 bytes, a row of 2 + 4 + 4, and a trailer of 2.
    report("copy out binary", out.size() == 19 + 40 * 10 + 2);
    StringBuilder data = new StringBuilder();
    for (int n = 0; n < 3_000; n++) data.append(60_000 + n).append("\tcopied ").append("y".repeat(300)).append("\t1\n");
    report("copy in", copies.copyIn("copy shop.products (id, name, price_cents) from stdin", new StringReader(data.toString())));
    try {
      copies.copyIn("copy shop.products (id, name, price_cents) from stdin", new StringReader("no number\tx\t1\n"));
    } catch (SQLException error) {
      report("copy in with an error", List.of(error.getSQLState(), number(connection, "select 1")));
    }
    var given = copies.copyIn("copy shop.products (id, name, price_cents) from stdin");
    byte[] row = "70000\tnever\t1\n".getBytes();
    given.writeToCopy(row, 0, row.length);
    given.cancelCopy();
    report("copy in given up", number(connection, "select count(*) from shop.products where id = 70000"));
  }

  static void metadata(Connection connection) throws SQLException {
    var data = connection.getMetaData();
    told("tables", () -> strings(data.getTables(null, "shop", "%", new String[] {"TABLE", "VIEW"}), "TABLE_NAME"));
    told("columns", () -> strings(data.getColumns(null, "shop", "orders", "%"), "COLUMN_NAME"));
    told("keys", () -> strings(data.getPrimaryKeys(null, "shop", "orders"), "COLUMN_NAME"));
    told("foreign keys", () -> strings(data.getImportedKeys(null, "shop", "orders"), "PKTABLE_NAME"));
    told("best row", () -> strings(data.getBestRowIdentifier(null, "shop", "orders", 0, false), "COLUMN_NAME"));
    told("indexes", () -> strings(data.getIndexInfo(null, "shop", "orders", false, true), "INDEX_NAME"));
    told("schemas", () -> strings(data.getSchemas(null, "sho%"), "TABLE_SCHEM"));
    told("catalogs", () -> strings(data.getCatalogs(), "TABLE_CAT").contains("shop_dev"));
    told("functions", () -> strings(data.getFunctions(null, "pg_catalog", "upper"), "FUNCTION_NAME").contains("upper"));
    told("procedures", () -> strings(data.getProcedures(null, "shop", "%"), "PROCEDURE_NAME"));
    told("procedure columns", () -> strings(data.getProcedureColumns(null, "shop", "%", "%"), "COLUMN_NAME"));
    told("types", () -> strings(data.getTypeInfo(), "TYPE_NAME").contains("int4"));
    told("privileges", () -> strings(data.getTablePrivileges(null, "shop", "orders"), "PRIVILEGE").contains("SELECT"));
    told("keywords", () -> data.getSQLKeywords().contains("returning"));
    try (PreparedStatement statement = connection.prepareStatement("select id, status from shop.orders where id = ?")) {
      report("parameter type", statement.getParameterMetaData().getParameterTypeName(1));
      report("column type", statement.getMetaData().getColumnTypeName(2));
    }
    ResultSet updatable =
        connection
            .createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE)
            .executeQuery("select id, note from shop.orders where id = 72");
    updatable.next();
    updatable.updateString("note", "by the result set");
    updatable.updateRow();
    report("updatable", number(connection, "select count(*) from shop.orders where note = 'by the result set'"));
  }

  static void cancel(Connection connection) throws Exception {
    Statement statement = connection.createStatement();
    Thread canceller =
        new Thread(
            () -> {
              try (Connection other = connect("")) {
                // Whoever runs it has locked the table; what it runs, another role may not see.
                String running = "select count(*) from pg_locks where relation = 'shop.orders'::regclass and pid <> pg_backend_pid()";
                while (number(other, running) == 0) Thread.sleep(20);
                statement.cancel();
              } catch (Exception error) {
                report("canceller failed", error.toString());
              }
            });
    canceller.start();
    try {
      statement.executeQuery(ENDLESS);
    } catch (SQLException error) {
      report("cancel", List.of(error.getSQLState(), number(connection, "select 1")));
    }
    canceller.join();
    Statement limited = connection.createStatement();
    limited.setQueryTimeout(1);
    try {
      limited.executeQuery(ENDLESS);
    } catch (SQLException error) {
      report("query timeout", List.of(error.getSQLState(), number(connection, "select 1")));
    }
  }

  static final String ENDLESS = "select count(*) from shop.orders a, shop.orders b, shop.orders c, shop.orders d";

  static void transactions(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    connection.createStatement().executeUpdate("update shop.orders set note = 'kept' where id = 73");
    Savepoint here = connection.setSavepoint();
    List<Object> heard = new ArrayList<>();
    for (String sql : List.of("select 1 / 0", "select 1")) {
      try {
        connection.createStatement().executeQuery(sql);
      } catch (SQLException error) {
        heard.add(error.getSQLState());
      }
    }
    connection.rollback(here);
    connection.commit();
    connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
    connection.setReadOnly(true);
    try {
      connection.createStatement().executeUpdate("update shop.orders set note = 'read only' where id = 73");
    } catch (SQLException error) {
      heard.add(error.getSQLState());
    }
    connection.rollback();
    connection.setReadOnly(false);
    heard.add(number(connection, "select count(*) from shop.orders where id = 73 and note = 'kept'"));
    connection.commit();
    report("transactions", heard);
  }

  static void severalResults(Connection connection) throws SQLException {
    Statement statement = connection.createStatement();
    List<Object> heard = new ArrayList<>();
    boolean isResult = statement.execute("select 1; update shop.orders set note = 'several' where id = 74; select 3");
    while (isResult || statement.getUpdateCount() != -1) {
      heard.add(isResult ? one(statement.getResultSet()) : "updated " + statement.getUpdateCount());
      isResult = statement.getMoreResults();
    }
    report("several results", heard);
    PreparedStatement returning =
        connection.prepareStatement("update shop.orders set note = ? where id = 75", new String[] {"id"});
    returning.setString(1, "returned");
    returning.executeUpdate();
    report("generated keys", one(returning.getGeneratedKeys()));
  }

  static void settings(Connection connection) throws SQLException {
    report("is valid", connection.isValid(5));
    try {
      connection.setSchema("shop");
      report("set schema", "set");
    } catch (SQLException error) {
      report("set schema", error.getSQLState());
    }
    connection.setClientInfo("ApplicationName", "by jdbc");
    report("application name", one(connection.createStatement().executeQuery("show application_name")));
    PreparedStatement prepared = connection.prepareStatement("select id from shop.products where id = ?");
    for (int round = 0; round < 7; round++) {
      prepared.setInt(1, 3);
      one(prepared.executeQuery());
    }
    connection.createStatement().execute("deallocate all");
    prepared.setInt(1, 4);
    try {
      report("after deallocate all", one(prepared.executeQuery()));
    } catch (SQLException error) {
      report("after deallocate all", error.getSQLState());
    }
  }

  static void inMode(String mode) {
    try (Connection connection = connect("&preferQueryMode=" + mode)) {
      List<Object> heard = new ArrayList<>();
      for (int round = 0; round < 7; round++) {
        PreparedStatement statement = connection.prepareStatement("select ?::int + id, ? from shop.products where id = ?");
        statement.setInt(1, round);
        statement.setString(2, "it's \\ ?");
        statement.setInt(3, 10);
        ResultSet rows = statement.executeQuery();
        rows.next();
        heard.add(rows.getInt(1));
        if (!rows.getString(2).equals("it's \\ ?")) heard.add(rows.getString(2));
      }
      report("mode " + mode, heard);
    } catch (Exception error) {
      report("mode " + mode, error.toString());
    }
  }

  static void autosave(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    connection.createStatement().executeUpdate("update shop.orders set note = 'autosaved' where id = 76");
    List<Object> heard = new ArrayList<>();
    for (String sql : List.of("select 1 / 0", "grant shop_dev_owner to public", "select 1")) {
      try {
        connection.createStatement().execute(sql);
        heard.add("ran");
      } catch (SQLException error) {
        heard.add(error.getSQLState());
      }
    }
    connection.commit();
    heard.add(number(connection, "select count(*) from shop.orders where note = 'autosaved'"));
    report("autosave", heard);
  }

  /** The promises to every driver, but for the held statements. */
  static void promises(Connection connection) throws SQLException {
    String sql = "select email from shop.customers where id = 90001";
    report("JDBC masked text", one(connection.createStatement().executeQuery(sql)));
    try (Connection inBinary = connect("&binaryTransferEnable=TEXT&prepareThreshold=-1")) {
      ResultSet rows = inBinary.prepareStatement(sql).executeQuery();
      rows.next();
      report("JDBC masked binary", isBinary(rows, 1) ? rows.getString(1) : "it came as text");
    }
    try {
      connection.createStatement().executeQuery("select 1 / 0");
    } catch (SQLException error) {
      report("JDBC error", error.getSQLState());
    }
    connection.setAutoCommit(false);
    connection.createStatement().executeUpdate("update shop.orders set note = 'half' where id = 77");
    List<Object> heard = new ArrayList<>();
    for (String refused : List.of("grant shop_dev_owner to public", "select 1")) {
      try {
        connection.createStatement().execute(refused);
      } catch (SQLException error) {
        heard.add(error.getSQLState());
      }
    }
    try {
      connection.commit();
    } catch (SQLException error) {
      // The driver itself says so when COMMIT was answered by ROLLBACK.
      connection.rollback();
    }
    heard.add(number(connection, "select count(*) from shop.orders where note = 'half'"));
    report("JDBC refused in a transaction", heard);
  }

  static void held() throws SQLException {
    try (Connection connection = connect(System.getenv("HELD_DATABASE"), "")) {
      PreparedStatement statement = connection.prepareStatement("update shop.orders set note = ? where id = ?");
      statement.setString(1, "JDBC countersigned");
      statement.setInt(2, 78);
      report("JDBC countersigned", statement.executeUpdate());
      boolean isTold = statement.getWarnings() != null && statement.getWarnings().getMessage().contains("held for review");
      report("JDBC is told of the hold", isTold);
      statement.setString(1, "JDBC denied");
      try {
        statement.executeUpdate();
      } catch (PSQLException error) {
        ServerErrorMessage said = error.getServerErrorMessage();
        boolean words = said != null && said.getDetail().contains("not on a Monday");
        report("JDBC denied", List.of(error.getSQLState(), words));
      }
    }
  }

  static long number(Connection connection, String sql) throws SQLException {
    try (ResultSet rows = connection.createStatement().executeQuery(sql)) {
      rows.next();
      return rows.getLong(1);
    }
  }

  static Object one(ResultSet rows) throws SQLException {
    try (rows) {
      return rows.next() ? rows.getObject(1) : null;
    }
  }

  static List<Object> strings(ResultSet rows, String column) throws SQLException {
    List<Object> found = new ArrayList<>();
    try (rows) {
      while (rows.next()) found.add(rows.getString(column));
    }
    return found;
  }

  static final PrintStream OUT = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);

  interface Question {
    Object ask() throws SQLException;
  }

  static void told(String step, Question question) {
    try {
      report(step, question.ask());
    } catch (SQLException error) {
      report(step, error.toString());
    }
  }

  static synchronized void report(String step, Object value) {
    OUT.println("{\"step\":" + json(step) + ",\"value\":" + json(value) + "}");
  }

  static String json(Object value) {
    if (value == null || value instanceof Number || value instanceof Boolean) return String.valueOf(value);
    if (value instanceof List<?> list) return "[" + String.join(",", list.stream().map(Session::json).toList()) + "]";
    String text = value.toString().replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\t", "\\t");
    return "\"" + text + "\"";
  }
}
