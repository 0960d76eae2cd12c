namespace KestrelAcme.Challenges.Dns01;

/// <summary>
/// Decides which TXT records may be created and deleted. Others write CNAMEs and may write notes in a store, and these must not make
/// KestrelAcme change any record that is not for a challenge. Pure.
/// </summary>
internal static class RecordNamePolicy
{
    private const string ChallengeLabel = "_acme-challenge";
    private const int ValueLength = 43;

    /// <summary>
    /// Whether a name consists of letters, digits, hyphens and underscores. A DNS name may contain any byte, and this one becomes the
    /// argument of a program or part of a URL.
    /// </summary>
    public static bool IsPlain(string name) => Array.TrueForAll(name.Split('.'), label => label.Length > 0 && label.All(IsPlain));

    /// <summary>Whether a name is that of a challenge: <c>_acme-challenge.NAME</c>, optionally with an account's label in front.</summary>
    public static bool IsOfChallenge(string challengeName)
    {
        var labels = challengeName.Split('.');
        return IsPlain(challengeName)
            && ((labels.Length > 1 && labels[0] == ChallengeLabel)
                || (labels.Length > 2 && labels[1] == ChallengeLabel && DnsChallengeNames.IsAccountLabel(labels[0])));
    }

    /// <summary>Whether a value is a SHA-256 digest in base64url, as the values of challenges are.</summary>
    public static bool IsOfDigest(string value) => value.Length == ValueLength && value.All(IsPlain);

    /// <summary>
    /// Whether a record may be created at the end of CNAMEs. Another person's CNAME may lead to any name in your zones, so its target must
    /// be marked for challenges: with the label <c>_acme-challenge</c>, or by being below an entry of the provider's <c>Zones</c> that
    /// contains no name of a certificate.
    /// </summary>
    public static bool IsPlaceForChallenges(
        string recordName, IEnumerable<string> providerZones, IReadOnlyCollection<string> certificateNames)
        => recordName.Split('.').Contains(ChallengeLabel, StringComparer.OrdinalIgnoreCase)
            || providerZones.Any(zone => IsAtOrBelow(recordName, zone) && !certificateNames.Any(name => IsAtOrBelow(name, zone)));

    /// <summary>Whether a name is a zone's own, or below it.</summary>
    public static bool IsAtOrBelow(string name, string zone)
        => name.EndsWith(zone, StringComparison.OrdinalIgnoreCase)
            && (name.Length == zone.Length || name[name.Length - zone.Length - 1] == '.');

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_';
}
