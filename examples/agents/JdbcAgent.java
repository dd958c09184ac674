// An agent with JDBC. Run: java -cp postgresql.jar JdbcAgent.java <statement> …
import java.sql.*;
import java.util.Properties;
import org.postgresql.PGConnection;
import org.postgresql.util.PSQLException;
import org.postgresql.util.PSQLWarning;
import org.postgresql.util.ServerErrorMessage;

public class JdbcAgent {
  static final String OURS = "countersign";
  static final String PATIENCE_SECONDS = System.getenv().getOrDefault("PATIENCE_SECONDS", "3600");

  public static void main(String[] statements) throws Exception {
    Properties login = new Properties();
    login.put("user", System.getenv("PGUSER"));
    login.put("password", System.getenv("PGPASSWORD")); // the token
    login.put("sslmode", "verify-full");
    login.put("sslrootcert", System.getenv("PGSSLROOTCERT"));
    login.put("tcpKeepAlive", "true");
    String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE");
    try (Connection connection = DriverManager.getConnection(url, login); Statement statement = connection.createStatement()) {
      ResultSet rows = statement.executeQuery("select id, email from shop.customers order by id limit 1");
      while (rows.next()) System.out.println("read " + rows.getInt(1) + " " + rows.getString(2));
      statement.setQueryTimeout(Integer.parseInt(PATIENCE_SECONDS)); // then the driver cancels
      for (String text : statements) {
        try {
          System.out.println("ran " + statement.executeUpdate(text));
        } catch (PSQLException error) {
          ServerErrorMessage said = error.getServerErrorMessage();
          if (said == null || !OURS.equals(said.getSchema())) throw error; // PostgreSQL's own
          System.out.println(said.getConstraint() + " " + said.getColumn() + " " + said.getDetail()); // fields: docs/errors.md
        }
        // Another thread may read the warnings while the statement is held; here they are read when it is over.
        for (SQLWarning next = statement.getWarnings(); next != null; next = next.getNextWarning()) {
          if (next instanceof PSQLWarning warning && OURS.equals(warning.getServerErrorMessage().getSchema())) {
            ServerErrorMessage said = warning.getServerErrorMessage();
            System.out.println(said.getConstraint() + " request " + said.getTable() + " until " + said.getDatatype());
          }
        }
        statement.clearWarnings();
      }
    }
  }
}
