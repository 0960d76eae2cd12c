using System.Buffers.Text;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Binds and checks an external account binding. No message quotes the key.</summary>
internal static class ExternalAccountBindingReader
{
    /// <summary>Binds a section.</summary>
    public static ExternalAccountBindingOptions Bind(SectionReader reader)
    {
        var binding = new ExternalAccountBindingOptions();
        reader.Text(nameof(binding.KeyId), value => binding.KeyId = value);
        reader.Text(nameof(binding.HmacKey), value => binding.HmacKey = value);
        reader.Text(nameof(binding.HmacKeyFile), value => binding.HmacKeyFile = value);
        return binding;
    }

    /// <summary>Whether none of the options is set.</summary>
    public static bool IsEmpty(ExternalAccountBindingOptions? options)
        => options is null
            || (ScalarRules.NullIfEmpty(options.KeyId)
                ?? ScalarRules.NullIfEmpty(options.HmacKey)
                ?? ScalarRules.NullIfEmpty(options.HmacKeyFile)) is null;

    /// <summary>Returns the external account key, or <see langword="null"/> if there is none, or after a problem.</summary>
    public static ExternalAccountKey? Read(
        ExternalAccountBindingOptions? options, string key, EnvironmentFacts facts, ProblemList problems)
    {
        if (options is null || IsEmpty(options))
        {
            return null;
        }

        var keyId = ScalarRules.NullIfEmpty(options.KeyId);
        if (keyId is null)
        {
            problems.Add($"{key}:KeyId", null, "is missing", "Write the key identifier that the CA issued with the HMAC key");
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
            problems.Add($"{key}:HmacKeyFile", null, "is set in addition to HmacKey", "Remove one of them");
            return null;
        }

        if (written is null && path is null)
        {
            problems.Add(
                $"{key}:HmacKey", null, "is missing",
                "Write the HMAC key that the CA issued, or the path of a file that contains it in HmacKeyFile");
            return null;
        }

        if (path is null)
        {
            return Decode(written!, $"{key}:HmacKey", problems);
        }

        return FileRules.ReadSecret(path, $"{key}:HmacKeyFile", facts, problems) is { } content
            ? Decode(content.Trim(), $"{key}:HmacKeyFile", problems)
            : null;
    }

    private static byte[]? Decode(string text, string key, ProblemList problems)
    {
        if (text.Length > 0 && Base64Url.IsValid(text))
        {
            return Base64Url.DecodeFromChars(text);
        }

        problems.Add(
            key, null, "is not base64url (letters, digits, '-' and '_'; the value is not shown because it is a secret)",
            "Copy the complete HMAC key from the CA again");
        return null;
    }
}
