// The habits of the JDBC driver of PostgreSQL; at PostgreSQL and through the proxy it must print the same. One line of
// JSON for each step: its name, and what came back.

import java.io.ByteArrayOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.util.PSQLException;
import org.postgresql.util.PSQLWarning;
import org.postgresql.util.PGobject;
import org.postgresql.util.ServerErrorMessage;

public class Habits {
  interface Step {
    Object run(Connection connection) throws Exception;
  }

  public static void main(String[] args) throws Exception {
    String held = System.getenv("HELD_DATABASE");
    if (held != null) {
      report("refused", contract(System.getenv("PGDATABASE"), "grant shop_dev_owner to public"));
      report("denied", contract(held, "update shop.orders set note = 'JDBC' where id = 44"));
      return;
    }
    Map<String, Step> steps = new LinkedHashMap<>();
    steps.put("fetch size in a failed transaction", Habits::failedFetch);
    steps.put("fetch size of expressions", Habits::fetchOfExpressions);
    steps.put("comments", Habits::comments);
    steps.put("functions of users", Habits::functions);
    steps.put("enum", Habits::enumeration);
    steps.put("large insert", Habits::largeInsert);
    steps.put("copy in pieces", Habits::copies);
    steps.put("notifications", Habits::notifications);
    steps.put("release to a pool", Habits::release);
    steps.put("autosave", Habits::autosave);
    steps.put("tables", connection -> rows(connection.getMetaData().getTables(null, "shop", null, null), 2, 3, 4));
    steps.put("columns", connection -> rows(connection.getMetaData().getColumns(null, "shop", "%", null), 3, 4, 5, 6, 18));
    steps.put("indexes", connection -> rows(connection.getMetaData().getIndexInfo(null, "shop", "customers", false, true), 4, 6, 8, 9));
    steps.put("keys", connection -> rows(connection.getMetaData().getImportedKeys(null, "shop", "orders"), 3, 4, 7, 8, 12));
    steps.put("types", connection -> rows(connection.getMetaData().getUDTs(null, "shop", null, null), 2, 3, 5));
    for (Map.Entry<String, Step> step : steps.entrySet()) {
      try (Connection connection = connect(System.getenv("PGDATABASE"))) {
        report(step.getKey(), step.getValue().run(connection));
      } catch (Exception error) {
        report(step.getKey(), error.toString());
      }
    }
  }

  /** The rest of a portal is not read from a transaction that failed; the driver must hear why. */
  static Object failedFetch(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    List<Object> heard = new ArrayList<>();
    PreparedStatement statement = connection.prepareStatement("select n from generate_series(1, 100) s(n)");
    statement.setFetchSize(10);
    ResultSet rows = statement.executeQuery();
    for (int n = 0; n < 5; n++) rows.next();
    heard.add(rows.getInt(1));
    heard.add(stateOf(() -> connection.createStatement().execute("select 1/0")));
    heard.add(stateOf(() -> { while (rows.next()) { } }));
    heard.add(stateOf(() -> connection.createStatement().executeQuery("select 1")));
    connection.rollback();
    return heard;
  }

  static Object fetchOfExpressions(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    PreparedStatement statement = connection.prepareStatement("select id * ?, upper(status) from shop.orders order by id limit 25");
    statement.setInt(1, 2);
    statement.setFetchSize(10);
    return rows(statement.executeQuery(), 1, 2);
  }

  static Object comments(Connection connection) throws SQLException {
    PreparedStatement statement = connection.prepareStatement("/* deallocate all */ -- prepare\nselect ?::int as prepared_at");
    List<Object> heard = new ArrayList<>();
    for (int n = 0; n < 9; n++) {
      statement.setInt(1, n);
      heard.addAll(rows(statement.executeQuery(), 1));
    }
    return heard;
  }

  static Object functions(Connection connection) throws SQLException {
    PreparedStatement plain = connection.prepareStatement("select count(*) from shop.orders where id < ?");
    PreparedStatement function = connection.prepareStatement("select shop.thrice(?)");
    List<Object> heard = new ArrayList<>();
    for (int n = 1; n < 9; n++) {
      plain.setInt(1, n);
      function.setInt(1, n);
      heard.addAll(rows(plain.executeQuery(), 1));
      // The result of opaque code is masked whole.
      heard.add(rows(function.executeQuery(), 1).size());
    }
    return heard;
  }

  static Object enumeration(Connection connection) throws SQLException {
    PreparedStatement statement = connection.prepareStatement("select ?::shop.mood, ?");
    List<Object> heard = new ArrayList<>();
    for (int n = 0; n < 8; n++) {
      PGobject mood = new PGobject();
      mood.setType("shop.mood");
      mood.setValue(n % 2 == 0 ? "sad" : "happy");
      statement.setObject(1, mood);
      statement.setArray(2, connection.createArrayOf("int4", new Object[] {n, n + 1}));
      heard.add(rows(statement.executeQuery(), 1, 2));
    }
    return heard;
  }

  static Object largeInsert(Connection connection) throws SQLException {
    connection.setAutoCommit(false);
    StringBuilder sql = new StringBuilder("insert into shop.spoken values ");
    for (int n = 0; n < 8_000; n++) sql.append(n == 0 ? "" : ",").append("(").append(100_000 + n).append(",'").append("j".repeat(100)).append("')");
    int inserted = connection.createStatement().executeUpdate(sql.toString());
    PreparedStatement batch = connection.prepareStatement("insert into shop.spoken values (?, ?)");
    for (int n = 0; n < 4_000; n++) {
      batch.setInt(1, 200_000 + n);
      batch.setString(2, "batch");
      batch.addBatch();
    }
    int batched = Arrays.stream(batch.executeBatch()).sum();
    connection.rollback();
    return List.of(inserted, batched);
  }

  static Object copies(Connection connection) throws Exception {
    connection.setAutoCommit(false);
    var manager = connection.unwrap(PGConnection.class).getCopyAPI();
    StringBuilder data = new StringBuilder();
    for (int n = 0; n < 2_000; n++) data.append(300_000 + n).append(",copied\n");
    long in = manager.copyIn("/* rows */ copy shop.spoken from stdin (format csv)", new StringReader(data.toString()));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    long outwards = manager.copyOut("copy (select id from shop.spoken where id >= 300000 order by id) to stdout", out);
    connection.rollback();
    return List.of(in, outwards, out.size());
  }

  static Object notifications(Connection connection) throws SQLException {
    Statement statement = connection.createStatement();
    statement.execute("listen habits");
    statement.execute("notify habits, '{\"id\":7}'");
    List<Object> heard = new ArrayList<>();
    for (PGNotification one : connection.unwrap(PGConnection.class).getNotifications(20_000)) heard.add(one.getName() + " " + one.getParameter());
    statement.execute("unlisten *");
    return heard;
  }

  /** The statements of pools between two users of a connection. */
  static Object release(Connection connection) throws SQLException {
    List<Object> heard = new ArrayList<>();
    for (int n = 0; n < 3; n++) {
      connection.setAutoCommit(false);
      connection.setReadOnly(n == 1);
      connection.setTransactionIsolation(n == 2 ? Connection.TRANSACTION_SERIALIZABLE : Connection.TRANSACTION_READ_COMMITTED);
      heard.addAll(rows(connection.createStatement().executeQuery("select current_setting('transaction_read_only'), current_setting('transaction_isolation')"), 1, 2));
      connection.rollback();
      connection.setReadOnly(false);
      connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      connection.setAutoCommit(true);
      connection.clearWarnings();
      heard.add(connection.isValid(10));
      connection.createStatement().execute("discard all");
    }
    return heard;
  }

  static Object autosave(Connection connection) throws SQLException {
    connection.unwrap(PGConnection.class).setAutosave(org.postgresql.jdbc.AutoSave.ALWAYS);
    connection.setAutoCommit(false);
    List<Object> heard = new ArrayList<>();
    for (int n = 0; n < 7; n++) {
      heard.add(stateOf(() -> connection.createStatement().execute("select 1/0")));
      heard.addAll(rows(connection.createStatement().executeQuery("select 7"), 1));
    }
    return heard;
  }

  /** The fields in which a program is told of a refusal and of a hold. */
  static Object contract(String database, String sql) throws SQLException {
    try (Connection connection = connect(database); Statement statement = connection.createStatement()) {
      String session = connection.unwrap(PGConnection.class).getParameterStatus("countersign.session_id");
      try {
        statement.execute(sql);
        return "no error";
      } catch (PSQLException error) {
        List<Object> notices = new ArrayList<>();
        for (SQLWarning one = statement.getWarnings(); one != null; one = one.getNextWarning())
          if (one instanceof PSQLWarning warning) notices.add(fields(warning.getServerErrorMessage()));
        Map<String, Object> heard = new LinkedHashMap<>();
        heard.put("session", session);
        heard.put("notices", notices);
        heard.put("error", fields(error.getServerErrorMessage()));
        return heard;
      }
    }
  }

  static Map<String, Object> fields(ServerErrorMessage said) {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("sqlstate", said.getSQLState());
    fields.put("schema", said.getSchema());
    fields.put("code", said.getConstraint());
    fields.put("request", said.getTable());
    fields.put("status", said.getColumn());
    fields.put("deadline", said.getDatatype());
    fields.put("session", said.getRoutine());
    return fields;
  }

  interface Work {
    void run() throws SQLException;
  }

  static String stateOf(Work work) {
    try {
      work.run();
      return "no error";
    } catch (SQLException error) {
      return error.getSQLState();
    }
  }

  static List<Object> rows(ResultSet rows, int... columns) throws SQLException {
    List<Object> all = new ArrayList<>();
    try (rows) {
      while (rows.next()) {
        List<Object> row = new ArrayList<>();
        for (int column : columns) row.add(rows.getString(column));
        all.add(columns.length == 1 ? row.get(0) : row);
      }
    }
    return all;
  }

  static Connection connect(String database) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", System.getenv("PGUSER"));
    properties.setProperty("password", System.getenv("PGPASSWORD"));
    properties.setProperty("sslmode", "verify-full");
    properties.setProperty("sslrootcert", System.getenv("PGSSLROOTCERT"));
    String server = System.getenv("PGHOST") + ":" + System.getenv("PGPORT");
    return DriverManager.getConnection("jdbc:postgresql://" + server + "/" + database, properties);
  }

  static final PrintStream OUT = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);

  static void report(String step, Object value) {
    OUT.println("{\"step\":" + json(step) + ",\"value\":" + json(value) + "}");
  }

  static String json(Object value) {
    if (value == null || value instanceof Number || value instanceof Boolean) return String.valueOf(value);
    if (value instanceof List<?> list) return "[" + String.join(",", list.stream().map(Habits::json).toList()) + "]";
    if (value instanceof Map<?, ?> map)
      return "{" + String.join(",", map.entrySet().stream().map(one -> json(one.getKey()) + ":" + json(one.getValue())).toList()) + "}";
    String text = value.toString().replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\t", "\\t");
    return "\"" + text + "\"";
  }
}
