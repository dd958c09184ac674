// A short session of JDBC, to be captured.

import java.io.StringReader;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.postgresql.PGConnection;

public class Capture {
  public static void main(String[] args) throws Exception {
    String server = System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/" + System.getenv("PGDATABASE");
    String url = "jdbc:postgresql://" + server + "?sslmode=disable&prepareThreshold=2";
    try (Connection connection = DriverManager.getConnection(url, System.getenv("PGUSER"), System.getenv("PGPASSWORD"))) {
      try (PreparedStatement statement = connection.prepareStatement("select id, name from items where id = ?")) {
        for (int id = 1; id <= 3; id++) {
          statement.setInt(1, id);
          statement.executeQuery().close();
        }
      }
      connection.setAutoCommit(false);
      try (PreparedStatement statement = connection.prepareStatement("insert into items (id, name) values (?, ?)")) {
        for (int id = 201; id <= 203; id++) {
          statement.setInt(1, id);
          statement.setString(2, "ä " + id);
          statement.addBatch();
        }
        statement.executeBatch();
      }
      connection.commit();
      try (PreparedStatement statement = connection.prepareStatement("select id from items order by id")) {
        statement.setFetchSize(2);
        ResultSet rows = statement.executeQuery();
        for (int row = 0; row < 5; row++) rows.next();
        rows.close();
      }
      try {
        connection.createStatement().executeQuery("select 1 / 0");
      } catch (SQLException expected) {
        connection.rollback();
      }
      connection.setAutoCommit(true);
      var copies = connection.unwrap(PGConnection.class).getCopyAPI();
      copies.copyIn("copy items (id, name) from stdin", new StringReader("301\tcopied\n302\t\\N\n"));
      connection.isValid(5);
    }
  }
}
