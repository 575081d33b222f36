import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Verify a push in Java 17 or Kotlin, with the JDK alone. Give the raw body: {@code @RequestBody byte[]} in Spring,
 * {@code request.getInputStream().readAllBytes()} in a servlet, {@code call.receive<ByteArray>()} in Ktor.
 */
public final class VerifyPush {
    private VerifyPush() {}

    /** X-MT-Signature alone. During a rotation, X-MT-Signature-Previous may match instead. */
    public static boolean xmtSignature(byte[] rawBody, String signature, String secret) {
        // A variable that is not set: anybody can sign with an empty key.
        if (secret.isEmpty()) return false;
        byte[] mac = hmac(secret.getBytes(StandardCharsets.UTF_8), new byte[0], rawBody);
        return equal("sha256=" + HexFormat.of().formatHex(mac), signature);
    }

    /** webhook-id, webhook-timestamp, webhook-signature: proves the delivery's id and its time too. */
    public static boolean standardWebhooks(
            byte[] rawBody, String id, String timestamp, String signatures, String secret, Instant now, Duration tolerance) {
        if (id == null || id.isEmpty() || timestamp == null || !timestamp.matches("[0-9]{1,12}") || signatures == null) {
            return false;
        }
        if (Math.abs(now.getEpochSecond() - Long.parseLong(timestamp)) > tolerance.toSeconds()) return false;
        byte[] key = secret.startsWith("whsec_")
                ? Base64.getDecoder().decode(secret.substring(6))
                : secret.getBytes(StandardCharsets.UTF_8);
        if (key.length == 0) return false;
        byte[] mac = hmac(key, (id + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8), rawBody);
        String expected = "v1," + Base64.getEncoder().encodeToString(mac);
        boolean valid = false;
        // Several signatures, separated by spaces, come while a secret is being rotated.
        for (String one : signatures.split(" ")) valid |= equal(expected, one);
        return valid;
    }

    private static byte[] hmac(byte[] key, byte[] prefix, byte[] body) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            mac.update(prefix);
            return mac.doFinal(body);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** In constant time. */
    private static boolean equal(String expected, String given) {
        return given != null
                && MessageDigest.isEqual(expected.getBytes(StandardCharsets.UTF_8), given.getBytes(StandardCharsets.UTF_8));
    }
}
