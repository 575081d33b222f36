using System.Text;

// Reads pushes as lines (see languages.ts) and prints valid or invalid for each.
static string? Text(string field) => field == "-" ? null : Encoding.UTF8.GetString(Convert.FromBase64String(field));

for (var line = Console.ReadLine(); line != null; line = Console.ReadLine())
{
    var field = line.Split('\t');
    var body = Convert.FromBase64String(field[4]);
    var headers = field.Skip(5).Select(Text).ToArray();
    var valid = field[3].Split(',').Select(encoded => Text(encoded)!).Any(secret => field[0] == "x-mt"
        ? headers[0] != null && (VerifyPush.XmtSignature(body, headers[0], secret) || VerifyPush.XmtSignature(body, headers[1], secret))
        : VerifyPush.StandardWebhooks(body, headers[2], headers[3], headers[4], secret,
            DateTimeOffset.FromUnixTimeSeconds(long.Parse(field[1])), TimeSpan.FromSeconds(int.Parse(field[2]))));
    Console.WriteLine(valid ? "valid" : "invalid");
}
