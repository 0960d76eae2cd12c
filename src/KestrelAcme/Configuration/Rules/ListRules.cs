using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Checks the lists of challenge types and key algorithms, which occur at two levels.</summary>
internal static class ListRules
{
    /// <summary>The types of RFC 8555, RFC 8737 and the drafts; other well-formed ones may have a handler of the app's.</summary>
    private static readonly string[] KnownTypes = ["http-01", "tls-alpn-01", "dns-01", "dns-account-01", "dns-persist-01"];

    /// <summary>Reads challenge types; <see langword="null"/> stays so.</summary>
    public static EquatableArray<string>? ChallengeTypes(IList<string>? list, string key, ProblemList problems)
    {
        var types = list?.Select(type => (type ?? "").Trim().ToLowerInvariant()).ToArray();
        if (types is null || !CheckSize(types, key, "Write 'http-01', or leave the key out", problems))
        {
            return null;
        }

        for (var i = 0; i < types.Length; i++)
        {
            if (WhyNotAType(types[i]) is { } fix)
            {
                problems.Add($"{key}:{i}", types[i], "is not a challenge type", fix);
            }
        }

        return EquatableArray.From(types);
    }

    /// <summary>Reads key algorithms; <see langword="null"/> stays so.</summary>
    public static EquatableArray<KeyAlgorithm>? KeyAlgorithms(IList<KeyAlgorithm>? list, string key, ProblemList problems)
    {
        if (list is null || !CheckSize(list, key, $"Write '{nameof(KeyAlgorithm.EcdsaP256)}', or leave the key out", problems))
        {
            return null;
        }

        for (var i = 0; i < list.Count; i++)
        {
            ScalarRules.CheckEnum(list[i], $"{key}:{i}", problems);
        }

        return EquatableArray.From(list);
    }

    private static bool CheckSize<T>(IList<T> list, string key, string fix, ProblemList problems)
    {
        if (list.Count == 0)
        {
            problems.Add(key, null, "is empty", fix);
            return false;
        }

        for (var i = 1; i < list.Count; i++)
        {
            if (list.Take(i).Contains(list[i]))
            {
                problems.Add($"{key}:{i}", $"{list[i]}", "is listed twice", "Remove one of them");
            }
        }

        return true;
    }

    private static string? WhyNotAType(string type)
    {
        if (KnownTypes.Contains(type))
        {
            return null;
        }

        var beginning = type.Length > 1 ? Array.Find(KnownTypes, known => known.StartsWith(type, StringComparison.Ordinal)) : null;
        if ((NearestName.Find(type, KnownTypes) ?? beginning) is { } meant)
        {
            return $"Did you mean '{meant}'?";
        }

        // Every registered type ends in its version.
        var wellFormed = type.Length is > 3 and <= 64
            && type.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
            && type[^3] == '-' && char.IsAsciiDigit(type[^2]) && char.IsAsciiDigit(type[^1]);
        return wellFormed ? null : $"Write one of {string.Join(", ", KnownTypes.Take(3))}";
    }
}
