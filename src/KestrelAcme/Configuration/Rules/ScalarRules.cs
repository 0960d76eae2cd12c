namespace KestrelAcme.Configuration.Rules;

/// <summary>Checks single values that depend on nothing else.</summary>
internal static class ScalarRules
{
    /// <summary>Checks the numbers and the enums.</summary>
    public static void Check(AcmeHttpsOptions options, ProblemList problems)
    {
        CheckEnum(options.Issuance, nameof(options.Issuance), problems);
        CheckEnum(options.MissingCertificate, nameof(options.MissingCertificate), problems);
        CheckRange(options.MaxConcurrentOrders, 1, 100, nameof(options.MaxConcurrentOrders), problems);
        CheckRange(options.ContextCacheSize, 16, 1_000_000, nameof(options.ContextCacheSize), problems);
        CheckRange(options.SessionCacheCertificates, 0, Math.Max(0, options.ContextCacheSize), nameof(options.SessionCacheCertificates), problems);
    }

    /// <summary>Checks that a value set in code is one of the enum's.</summary>
    public static void CheckEnum<TEnum>(TEnum value, string key, ProblemList problems)
        where TEnum : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            problems.Add(key, value.ToString(), $"is not one of {string.Join(", ", Enum.GetNames<TEnum>())}", $"Write one of them, such as {default(TEnum)}");
        }
    }

    /// <summary>Returns a text, or <see langword="null"/> for one that is empty: an environment variable can be emptied, but often not removed.</summary>
    public static string? NullIfEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static void CheckRange(int value, int least, int most, string key, ProblemList problems)
    {
        if (value < least || value > most)
        {
            problems.Add(key, $"{value}", $"is not between {least} and {most}", "Write a number in that range, or leave the key out");
        }
    }
}
