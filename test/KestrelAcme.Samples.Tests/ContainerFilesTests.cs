using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using KestrelAcme.Configuration;
using Xunit;

namespace KestrelAcme.Samples.Tests;

/// <summary>
/// The files for containers are valid and agree on ports, folders and the user. No container engine runs them: see
/// <see cref="ContainerTests"/> for the app under the same constraints.
/// </summary>
public sealed partial class ContainerFilesTests
{
    private const string Volume = "/data";
    private const string User = "1654:1654";

    private static readonly string Template = Path.Combine(BuiltSample.Root(), "src/KestrelAcme.Templates/templates/acmehttps");

    public static TheoryData<string, string> Dockerfiles =>
        new() { { BuiltSample.Folder("Container"), "Container" }, { Template, "AcmeHttpsApp" } };

    public static TheoryData<string> YamlTexts =>
    [
        .. from page in Directory.EnumerateFiles(Path.Combine(BuiltSample.Root(), "docs"), "*.md").Order(StringComparer.Ordinal)
           from block in YamlBlock().Matches(File.ReadAllText(page)).Select(match => match.Groups[1].Value)
           select block,
        File.ReadAllText(Path.Combine(BuiltSample.Folder("Observability"), "alerts.yml")),
    ];

    [Theory]
    [MemberData(nameof(Dockerfiles))]
    public void Dockerfile_Image_RunsAsAUserWithoutPrivilegesAndOwnsTheStore(string folder, string project)
    {
        var image = new Dockerfile(Path.Combine(folder, "Dockerfile"));

        Assert.Equal(2, image.Stages);
        Assert.EndsWith("-chiseled", image.Base, StringComparison.Ordinal);
        Assert.Equal(User, image.User);
        Assert.Equal([image.Environment["ASPNETCORE_HTTP_PORTS"]!, image.Environment["ASPNETCORE_HTTPS_PORTS"]!], image.Ports);
        Assert.Equal(["8080", "8443"], image.Ports);
        Assert.Equal(Volume, image.Environment["AcmeHttps__StoragePath"]);
        Assert.Equal([Volume], image.Owned);
        Assert.Equal(["dotnet", $"{project}.dll"], image.Entry);
        Assert.True(File.Exists(Path.Combine(folder, $"{project}.csproj")));
        Assert.Contains($" {Published(folder, project)} ", File.ReadAllText(Path.Combine(folder, "Dockerfile")), StringComparison.Ordinal);
    }

    [Fact]
    public void Compose_Service_RunsTheImageAsItPromises()
    {
        var folder = BuiltSample.Folder("Container");
        var compose = Assert.Single(Yaml.Read(File.ReadAllText(Path.Combine(folder, "compose.yaml"))))!;
        var app = compose["services"]!["app"]!;

        Assert.Equal(["80:8080", "443:8443"], Texts(app["ports"]));
        Assert.Equal(User, (string?)app["user"]);
        Assert.Equal("true", (string?)app["read_only"]);
        Assert.Equal(["/tmp"], Texts(app["tmpfs"]));
        Assert.Equal(["ALL"], Texts(app["cap_drop"]));
        Assert.Equal([$"kestrel-acme:{Volume}"], Texts(app["volumes"]));
        Assert.True(compose["volumes"]!.AsObject().ContainsKey("kestrel-acme"));
        var context = Path.GetFullPath(Path.Combine(folder, (string)app["build"]!["context"]!));
        Assert.Equal(BuiltSample.Root().TrimEnd('/'), context.TrimEnd('/'));
        Assert.True(File.Exists(Path.Combine(context, (string)app["build"]!["dockerfile"]!)));
        AssertOptions(app["environment"]!.AsObject().Select(variable => (variable.Key, (string?)variable.Value)));
    }

    [Fact]
    public void Kubernetes_Objects_RunTheImageAsItPromises()
    {
        var documents = Yaml.Read(File.ReadAllText(Path.Combine(BuiltSample.Folder("Container"), "kubernetes.yaml")));
        var objects = documents.ToDictionary(document => (string)document!["kind"]!, document => document!);
        Assert.Equal(["Deployment", "PersistentVolumeClaim", "Service"], objects.Keys.Order(StringComparer.Ordinal));
        var deployment = objects["Deployment"]["spec"]!;
        var pod = deployment["template"]!["spec"]!;
        var container = Assert.Single(pod["containers"]!.AsArray())!;

        // The app, in the image and as the user of the Dockerfile.
        var (user, group) = ((string?)pod["securityContext"]!["runAsUser"], (string?)pod["securityContext"]!["runAsGroup"]);
        Assert.Equal(User, $"{user}:{group}");
        Assert.Equal(group, (string?)pod["securityContext"]!["fsGroup"]);
        Assert.Equal("OnRootMismatch", (string?)pod["securityContext"]!["fsGroupChangePolicy"]);
        Assert.Equal("true", (string?)pod["securityContext"]!["runAsNonRoot"]);
        Assert.Equal("true", (string?)container["securityContext"]!["readOnlyRootFilesystem"]);
        Assert.Equal("false", (string?)container["securityContext"]!["allowPrivilegeEscalation"]);
        Assert.Equal(["ALL"], Texts(container["securityContext"]!["capabilities"]!["drop"]));
        var ports = container["ports"]!.AsArray().ToDictionary(port => (string)port!["name"]!, port => (string)port!["containerPort"]!);
        Assert.Equal(["8080", "8443"], ports.Values);
        AssertOptions(container["env"]!.AsArray().Select(variable => ((string)variable!["name"]!, (string?)variable["value"])));

        // The store.
        var mounts = container["volumeMounts"]!.AsArray().ToDictionary(m => (string)m!["mountPath"]!, m => (string)m!["name"]!);
        Assert.Equal([Volume, "/tmp"], mounts.Keys);
        var volumes = pod["volumes"]!.AsArray().ToDictionary(volume => (string)volume!["name"]!, volume => volume!);
        Assert.Equal(
            (string?)objects["PersistentVolumeClaim"]["metadata"]!["name"],
            (string?)volumes[mounts[Volume]]["persistentVolumeClaim"]!["claimName"]);
        Assert.NotNull(volumes[mounts["/tmp"]]["emptyDir"]);

        // What reaches it.
        var labels = deployment["template"]!["metadata"]!["labels"]!.ToJsonString();
        Assert.Equal(labels, deployment["selector"]!["matchLabels"]!.ToJsonString());
        var service = objects["Service"]["spec"]!;
        Assert.Equal(labels, service["selector"]!.ToJsonString());
        Assert.Equal(
            ["80:8080", "443:8443"],
            service["ports"]!.AsArray().Select(port => $"{(string?)port!["port"]}:{ports[(string)port["targetPort"]!]}"));
        var program = File.ReadAllText(Path.Combine(BuiltSample.Folder("Container"), "Program.cs"));
        Assert.All(["readinessProbe", "livenessProbe"], probe =>
        {
            Assert.Contains($"MapGet(\"{(string?)container[probe]!["httpGet"]!["path"]}\"", program, StringComparison.Ordinal);
            Assert.True(ports.ContainsKey((string)container[probe]!["httpGet"]!["port"]!));
        });
    }

    [Fact]
    public void Readme_DockerRun_UsesTheSamePortsFolderAndUser()
    {
        var readme = File.ReadAllText(Path.Combine(BuiltSample.Root(), "README.md"));
        var command = readme[readme.IndexOf("docker run ", StringComparison.Ordinal)..];
        command = command[..command.IndexOf("```", StringComparison.Ordinal)];

        Assert.Contains($"-p 80:8080 -p 443:8443 -v kestrel-acme:{Volume} --read-only --tmpfs /tmp", command, StringComparison.Ordinal);
        Assert.DoesNotContain("--user", command, StringComparison.Ordinal);
        AssertOptions(RunVariable().Matches(command).Select(match => (match.Groups[1].Value, (string?)match.Groups[2].Value)));
    }

    [Theory]
    [MemberData(nameof(YamlTexts))]
    public void Yaml_DocumentationAndSamples_IsValid(string text) => Assert.NotEmpty(Yaml.Read(text));

    [Theory]
    [InlineData("a: 1\n  b: 2")]
    [InlineData("a:\n  b: 1\n c: 2")]
    [InlineData("a: 1\na: 2")]
    [InlineData("a: b: c")]
    [InlineData("a:\n\t- b")]
    [InlineData("a: [b, c")]
    [InlineData("a: { b: c } d")]
    [InlineData("a: \"b")]
    [InlineData("a: 1\n- b")]
    [InlineData("a:\n  b: 1\n  c")]
    public void Yaml_Mistake_IsFound(string text) => Assert.Throws<FormatException>(() => Yaml.Read(text));

    private static void AssertOptions(IEnumerable<(string Name, string? Value)> variables)
    {
        var options = typeof(AcmeHttpsOptions).GetProperties().Select(property => property.Name).ToHashSet(StringComparer.Ordinal);
        var keys = variables.Select(variable => variable.Name.Split("__"))
            .Where(parts => parts[0] == "AcmeHttps")
            .Select(parts => parts[1])
            .ToList();
        Assert.Contains("DomainNames", keys);
        Assert.Contains("AcceptTermsOfService", keys);
        Assert.Empty(keys.Except(options));
    }

    private static string Published(string folder, string project)
        => folder == Template ? $"{project}.csproj" : $"{Path.GetRelativePath(BuiltSample.Root(), folder)}/{project}.csproj";

    private static string[] Texts(JsonNode? list) => [.. list!.AsArray().Select(item => (string)item!)];

    [GeneratedRegex("^```yaml\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex YamlBlock();

    [GeneratedRegex(@"-e (\w+)=(\S+)")]
    private static partial Regex RunVariable();
}
