import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;

/** Reads pushes as lines (see languages.ts) and prints valid or invalid for each. */
public final class RunVectors {
    private static String text(String field) {
        return field.equals("-") ? null : new String(Base64.getDecoder().decode(field), StandardCharsets.UTF_8);
    }

    public static void main(String[] args) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String[] field = line.split("\t", -1);
            byte[] body = Base64.getDecoder().decode(field[4]);
            boolean valid = false;
            for (String encoded : field[3].split(",")) {
                String secret = text(encoded);
                if (field[0].equals("x-mt")) {
                    valid |= text(field[5]) != null
                            && (VerifyPush.xmtSignature(body, text(field[5]), secret)
                                    || VerifyPush.xmtSignature(body, text(field[6]), secret));
                } else {
                    valid |= VerifyPush.standardWebhooks(body, text(field[7]), text(field[8]), text(field[9]), secret,
                            Instant.ofEpochSecond(Long.parseLong(field[1])), Duration.ofSeconds(Long.parseLong(field[2])));
                }
            }
            System.out.println(valid ? "valid" : "invalid");
        }
    }
}
