namespace KestrelAcme.Challenges.Dns01.Caa;

/// <summary>The value of an <c>issue</c> or <c>issuewild</c> property (RFC 8659 section 4.2): an issuer's domain name, which may be empty, and parameters.</summary>
/// <param name="Issuer">The issuer's domain name, in lower case; empty for none.</param>
/// <param name="Parameters">The parameters in order, tags in lower case; <see langword="null"/> where they are malformed, which an authority must take for "not me".</param>
internal sealed record CaaProperty(string Issuer, IReadOnlyList<KeyValuePair<string, string>>? Parameters)
{
    private static readonly char[] Blank = [' ', '\t'];

    public static CaaProperty Parse(string value)
    {
        var parts = value.Split(';');
        var parameters = new List<KeyValuePair<string, string>>();
        foreach (var part in parts.Skip(1).Select(part => part.Trim(Blank)).Where(part => part.Length > 0))
        {
            var equals = part.IndexOf('=');
            if (equals <= 0)
            {
                return new CaaProperty(Domain(parts[0]), null);
            }

            parameters.Add(new(part[..equals].Trim(Blank).ToLowerInvariant(), part[(equals + 1)..].Trim(Blank)));
        }

        return new CaaProperty(Domain(parts[0]), parameters);
    }

    /// <summary>The values of a parameter.</summary>
    public IReadOnlyList<string> ValuesOf(string tag) => [.. (Parameters ?? []).Where(p => p.Key == tag).Select(p => p.Value)];

    private static string Domain(string text) => text.Trim(Blank).TrimEnd('.').ToLowerInvariant();
}
