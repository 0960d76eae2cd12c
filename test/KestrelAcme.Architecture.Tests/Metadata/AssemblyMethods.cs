using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace KestrelAcme.Architecture.Tests.Metadata;

/// <summary>The methods of an assembly: how many parameters constructors take, and who calls what.</summary>
internal sealed class AssemblyMethods : IDisposable
{
    private readonly PEReader _file;
    private readonly MetadataReader _reader;

    public AssemblyMethods(string path)
    {
        _file = new PEReader(File.OpenRead(path));
        _reader = _file.GetMetadataReader();
    }

    public void Dispose() => _file.Dispose();

    /// <summary>Every constructor, with the type that it makes and the number of its parameters.</summary>
    public IEnumerable<(string Type, int Parameters)> Constructors()
        => from method in Definitions()
           where _reader.GetString(method.Name) == ".ctor"
           select (NameOf(method.GetDeclaringType()), method.GetParameters().Count(p => _reader.GetParameter(p).SequenceNumber > 0));

    /// <summary>The outermost types whose code calls a method of this assembly; a property is set by <c>set_Name</c>.</summary>
    public IEnumerable<string> CallersOf(string type, string method)
        => from caller in Definitions()
           where caller.RelativeVirtualAddress != 0
               && IlTokens.Read(_file.GetMethodBody(caller.RelativeVirtualAddress)).Any(token => Is(token, type, method))
           select NameOf(Outermost(caller.GetDeclaringType()));

    private IEnumerable<MethodDefinition> Definitions()
        => _reader.TypeDefinitions.SelectMany(type => _reader.GetTypeDefinition(type).GetMethods()).Select(_reader.GetMethodDefinition);

    private bool Is(EntityHandle token, string type, string method)
    {
        if (token.Kind != HandleKind.MethodDefinition)
        {
            return false;
        }

        var definition = _reader.GetMethodDefinition((MethodDefinitionHandle)token);
        return _reader.GetString(definition.Name) == method && NameOf(definition.GetDeclaringType()) == type;
    }

    private TypeDefinitionHandle Outermost(TypeDefinitionHandle handle)
        => _reader.GetTypeDefinition(handle) is { IsNested: true } nested ? Outermost(nested.GetDeclaringType()) : handle;

    private string NameOf(TypeDefinitionHandle handle) => _reader.GetString(_reader.GetTypeDefinition(handle).Name);
}
