using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

/// <summary>
/// Verify a push in C# (.NET 6 or later), with the base library alone. Give the raw body: copy Request.Body into a
/// MemoryStream before anything binds it.
/// </summary>
public static class VerifyPush
{
    /// <summary>X-MT-Signature alone. During a rotation, X-MT-Signature-Previous may match instead.</summary>
    public static bool XmtSignature(byte[] rawBody, string? signature, string secret)
    {
        // A variable that is not set: anybody can sign with an empty key.
        if (secret.Length == 0) return false;
        var mac = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), rawBody);
        return FixedTimeEquals("sha256=" + Convert.ToHexString(mac).ToLowerInvariant(), signature);
    }

    /// <summary>webhook-id, webhook-timestamp, webhook-signature: proves the delivery's id and its time too.</summary>
    public static bool StandardWebhooks(
        byte[] rawBody, string? id, string? timestamp, string? signatures, string secret, DateTimeOffset now, TimeSpan tolerance)
    {
        if (string.IsNullOrEmpty(id) || !Regex.IsMatch(timestamp ?? "", "\\A[0-9]{1,12}\\z")) return false;
        if (Math.Abs(now.ToUnixTimeSeconds() - long.Parse(timestamp!)) > tolerance.TotalSeconds) return false;
        var key = secret.StartsWith("whsec_", StringComparison.Ordinal)
            ? Convert.FromBase64String(secret["whsec_".Length..])
            : Encoding.UTF8.GetBytes(secret);
        if (key.Length == 0) return false;
        var signed = Encoding.UTF8.GetBytes($"{id}.{timestamp}.").Concat(rawBody).ToArray();
        var expected = "v1," + Convert.ToBase64String(HMACSHA256.HashData(key, signed));
        // Several signatures, separated by spaces, come while a secret is being rotated.
        return (signatures ?? "").Split(' ').Any(one => FixedTimeEquals(expected, one));
    }

    private static bool FixedTimeEquals(string expected, string? given) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(expected), Encoding.UTF8.GetBytes(given ?? ""));
}
