namespace KestrelAcme.Challenges.Dns01;

/// <summary>
/// Which TXT records may be created and deleted at all. CNAMEs, and notes in a store, are written by others: they must not make this
/// application change any record but a challenge's. Pure.
/// </summary>
internal static class RecordNamePolicy
{
    private const string ChallengeLabel = "_acme-challenge";
    private const int ValueLength = 43;

    /// <summary>
    /// Whether a name consists of letters, digits, hyphens and underscores: a DNS name may hold any octet, and this one becomes the
    /// argument of a program or a part of a URL.
    /// </summary>
    public static bool IsPlain(string name) => Array.TrueForAll(name.Split('.'), label => label.Length > 0 && label.All(IsPlain));

    /// <summary>
    /// Whether a name is one that a challenge asks for: <c>_acme-challenge.NAME</c>, or with an account's label in front.
    /// </summary>
    public static bool IsOfChallenge(string challengeName)
    {
        var labels = challengeName.Split('.');
        return IsPlain(challengeName)
            && ((labels.Length > 1 && labels[0] == ChallengeLabel)
                || (labels.Length > 2 && labels[1] == ChallengeLabel && DnsChallengeNames.IsAccountLabel(labels[0])));
    }

    /// <summary>Whether a value is the base64url form of a SHA-256 digest, as the values of challenges are.</summary>
    public static bool IsOfDigest(string value) => value.Length == ValueLength && value.All(IsPlain);

    /// <summary>
    /// Whether a record may be created where CNAMEs lead. A stranger's CNAME may lead to any name of ours, so its target must be marked
    /// as a place for challenges: by the label
    /// <c>_acme-challenge</c>, or by lying below an entry of the provider's <c>Zones</c> that holds no name of a certificate.
    /// </summary>
    public static bool IsPlaceForChallenges(
        string recordName, IEnumerable<string> providerZones, IReadOnlyCollection<string> certificateNames)
        => recordName.Split('.').Contains(ChallengeLabel, StringComparer.OrdinalIgnoreCase)
            || providerZones.Any(zone => IsAtOrBelow(recordName, zone) && !certificateNames.Any(name => IsAtOrBelow(name, zone)));

    private static bool IsAtOrBelow(string name, string zone)
        => name.EndsWith(zone, StringComparison.OrdinalIgnoreCase)
            && (name.Length == zone.Length || name[name.Length - zone.Length - 1] == '.');

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_';
}
