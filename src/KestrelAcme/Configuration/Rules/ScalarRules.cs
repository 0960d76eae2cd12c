namespace KestrelAcme.Configuration.Rules;

/// <summary>Checks single values that do not depend on others.</summary>
internal static class ScalarRules
{
    /// <summary>Returns the value; adds a problem if it is not a member of the enum, which code can set.</summary>
    public static TEnum Defined<TEnum>(TEnum value, string key, ProblemList problems)
        where TEnum : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            var names = string.Join(", ", Enum.GetNames<TEnum>());
            problems.Add(key, value.ToString(), $"is not one of {names}", $"Write one of them, such as {default(TEnum)}");
        }

        return value;
    }

    /// <summary>Returns the value; adds a problem if it is out of range.</summary>
    public static int InRange(int value, int least, int most, string key, ProblemList problems)
    {
        if (value < least || value > most)
        {
            problems.Add(key, $"{value}", $"is not between {least} and {most}", "Write a number in that range, or remove the key");
        }

        return value;
    }

    /// <summary>Returns the duration, or <see langword="null"/> if there is none; adds a problem if it is out of range.</summary>
    public static TimeSpan? Duration(TimeSpan? value, TimeSpan least, TimeSpan most, string key, ProblemList problems)
    {
        if (value < least || value > most)
        {
            problems.Add(key, $"{value:c}", $"is not between {least:c} and {most:c}", "Write a duration in that range, or remove the key");
        }

        return value;
    }

    /// <summary>
    /// Returns the trimmed text, or <see langword="null"/> if it is empty: environment variables can be emptied, but often not removed.
    /// </summary>
    public static string? NullIfEmpty(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
