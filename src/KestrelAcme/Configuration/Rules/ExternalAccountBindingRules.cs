using System.Buffers.Text;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Checks an external account binding. No message quotes the key.</summary>
internal static class ExternalAccountBindingRules
{
    /// <summary>Whether nothing is set.</summary>
    public static bool IsEmpty(ExternalAccountBindingOptions? options)
        => options is null || (ScalarRules.NullIfEmpty(options.KeyId) ?? ScalarRules.NullIfEmpty(options.HmacKey) ?? ScalarRules.NullIfEmpty(options.HmacKeyFile)) is null;

    /// <summary>Reads the binding; <see langword="null"/> when there is none, or after a problem.</summary>
    public static ExternalAccountKey? Read(ExternalAccountBindingOptions? options, string key, EnvironmentFacts facts, ProblemList problems)
    {
        if (options is null || IsEmpty(options))
        {
            return null;
        }

        var keyId = ScalarRules.NullIfEmpty(options.KeyId);
        if (keyId is null)
        {
            problems.Add($"{key}:KeyId", null, "is missing", "Write the key identifier that the authority gave out with the HMAC key");
        }

        var hmacKey = ReadKey(options, key, facts, problems);
        return keyId is not null && hmacKey is not null ? new ExternalAccountKey(keyId, hmacKey) : null;
    }

    private static byte[]? ReadKey(ExternalAccountBindingOptions options, string key, EnvironmentFacts facts, ProblemList problems)
    {
        var written = ScalarRules.NullIfEmpty(options.HmacKey);
        var path = PathRules.Resolve(options.HmacKeyFile, $"{key}:HmacKeyFile", facts, problems, isSecret: true);
        if (written is not null && path is not null)
        {
            problems.Add($"{key}:HmacKeyFile", null, "is given beside HmacKey", "Remove one of them");
            return null;
        }

        if (written is null && path is null)
        {
            problems.Add($"{key}:HmacKey", null, "is missing", "Write the HMAC key that the authority gave out, or the path of a file that holds it in HmacKeyFile");
            return null;
        }

        return path is null
            ? Decode(written!, $"{key}:HmacKey", problems)
            : FileRules.ReadSecret(path, $"{key}:HmacKeyFile", facts, problems) is { } content ? Decode(content.Trim(), $"{key}:HmacKeyFile", problems) : null;
    }

    private static byte[]? Decode(string text, string key, ProblemList problems)
    {
        if (text.Length > 0 && Base64Url.IsValid(text))
        {
            return Base64Url.DecodeFromChars(text);
        }

        problems.Add(key, null, "is not base64url (letters, digits, '-' and '_'; the value is not shown, it is a secret)", "Copy the HMAC key from the authority again, whole");
        return null;
    }
}
