namespace KestrelAcme.Protocol.Transport;

/// <summary>Reads Link headers (RFC 8288) and ignores everything it does not understand.</summary>
internal static class LinkHeader
{
    private const int MaxLinks = 64;

    public static IReadOnlyList<WebLink> Parse(IEnumerable<string> values, Uri baseUrl, Uri origin)
    {
        var links = new List<WebLink>();
        foreach (var value in values)
        {
            ParseValue(value, baseUrl, origin, links);
        }

        return links;
    }

    private static void ParseValue(string value, Uri baseUrl, Uri origin, List<WebLink> links)
    {
        var position = 0;
        while (links.Count < MaxLinks)
        {
            var start = value.IndexOf('<', position);
            var end = start < 0 ? -1 : value.IndexOf('>', start);
            if (end < 0)
            {
                return;
            }

            position = EndOfParameters(value, end + 1);
            var relations = Relations(value[(end + 1)..position]);
            if (relations.Length > 0 && Uri.TryCreate(baseUrl, value[(start + 1)..end], out var url) && UrlPolicy.IsAllowed(url, origin))
            {
                links.AddRange(relations.Select(relation => new WebLink(url, relation)));
            }
        }
    }

    // A comma ends the link unless it is quoted.
    private static int EndOfParameters(string value, int position)
    {
        var quoted = false;
        for (; position < value.Length; position++)
        {
            if (value[position] == '"' && value[position - 1] != '\\')
            {
                quoted = !quoted;
            }
            else if (value[position] == ',' && !quoted)
            {
                break;
            }
        }

        return position;
    }

    private static string[] Relations(string parameters)
    {
        foreach (var parameter in parameters.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = parameter.Split('=', 2, StringSplitOptions.TrimEntries);
            if (parts.Length == 2 && parts[0].Equals("rel", StringComparison.OrdinalIgnoreCase))
            {
                return parts[1].Trim('"').ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries);
            }
        }

        return [];
    }
}

/// <summary>A link from a Link header (RFC 8288), resolved against the URL of the request.</summary>
internal sealed record WebLink(Uri Url, string Relation);
